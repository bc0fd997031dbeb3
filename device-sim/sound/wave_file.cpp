#include "device-sim/sound/wave_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "common/log.h"

namespace usbloop::device_sim {
namespace {

constexpr auto kUseWave = "write the sound to";
constexpr std::size_t kWaveAtOnce = 4096;  // 20 ms of two channels
constexpr std::uint16_t kWaveSampleSize = 2;

class WaveHeader {
 public:
  WaveHeader& text(std::string_view letters) {
    for (const char letter : letters) bytes.push_back(static_cast<std::byte>(letter));
    return *this;
  }
  WaveHeader& number(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>(value >> 8 * i));
    return *this;
  }
  std::vector<std::byte> bytes;
};

}  // namespace

Result<std::unique_ptr<WaveFile>> WaveFile::create(const std::string& path, unsigned channels, std::uint32_t rate,
                                                   std::uint64_t most) {
  constexpr mode_t kMode = 0600;  // as other files that a device makes
  // Non-blocking, so that a named pipe is refused below and not waited for.
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, kMode));
  if (!fd) return make_errno_error(kUseWave, path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return make_errno_error(kUseWave, path);
  if (!S_ISREG(status.st_mode)) return make_error(ErrorKind::invalid, kUseWave, path, "it is no file");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return make_errno_error("lock", path);
    return make_error(ErrorKind::conflict, kUseWave, path, "another emulated device uses it", "Give each its own.");
  }
  if (::ftruncate(fd.get(), 0) != 0) return make_errno_error(kUseWave, path);
  return begin(std::move(fd), path, channels, rate, most);
}

Result<std::unique_ptr<WaveFile>> WaveFile::temporary(unsigned channels, std::uint32_t rate, std::uint64_t most) {
  Fd fd(::memfd_create("sound", MFD_CLOEXEC));
  if (!fd) return make_errno_error(kUseWave, "memory");
  return begin(std::move(fd), "memory", channels, rate, most);
}

Result<std::unique_ptr<WaveFile>> WaveFile::begin(Fd fd, const std::string& path, unsigned channels, std::uint32_t rate,
                                                  std::uint64_t most) {
  std::unique_ptr<WaveFile> file(new WaveFile(std::move(fd), path, channels, rate, most));
  if (auto written = file->write_at(0, file->header()); !written) return tl::unexpected(written.error());
  return file;
}

WaveFile::WaveFile(Fd fd, std::string path, unsigned channels, std::uint32_t rate, std::uint64_t most)
    : fd_(std::move(fd)), path_(std::move(path)), channels_(channels), rate_(rate) {
  constexpr std::uint64_t kMostCounted = UINT32_MAX - kHeaderSize;
  const std::uint64_t frame = std::uint64_t{kWaveSampleSize} * channels;
  most_ = std::min(most, kMostCounted) / frame * frame;
}

std::vector<std::byte> WaveFile::header() const {
  constexpr std::uint32_t kFormatSize = 16, kPcm = 1, kSampleBits = 16;
  const std::uint32_t frame = kWaveSampleSize * channels_;
  WaveHeader header;
  header.text("RIFF").number(kHeaderSize - 8 + written_, 4).text("WAVEfmt ").number(kFormatSize, 4).number(kPcm, 2);
  header.number(channels_, 2).number(rate_, 4).number(std::uint64_t{rate_} * frame, 4).number(frame, 2);
  header.number(kSampleBits, 2).text("data").number(written_, 4);
  return std::move(header.bytes);
}

Result<> WaveFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return make_errno_error(kUseWave, path_);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

void WaveFile::append(std::span<const std::byte> frames) {
  const std::uint64_t left = most_ - written_ - waiting_.size();
  const auto taken = frames.first(static_cast<std::size_t>(std::min<std::uint64_t>(frames.size(), left)));
  if (taken.size() < frames.size() && !std::exchange(is_full_, true)) {
    spdlog::warn("{} holds all that it may: the rest of the sound is not kept", path_);
  }
  if (!outcome_) return;
  waiting_.insert(waiting_.end(), taken.begin(), taken.end());
  if (waiting_.size() < kWaveAtOnce) return;
  if (auto fine = flush(); !fine) spdlog::error("{}", fine.error().message());
}

// The sound first: a header never counts what is not there.
Result<> WaveFile::flush() {
  if (!outcome_ || waiting_.empty()) return outcome_;
  outcome_ = write_at(kHeaderSize + written_, waiting_);
  if (!outcome_) return outcome_;
  written_ += waiting_.size();
  waiting_.clear();
  outcome_ = write_at(0, header());
  return outcome_;
}

}  // namespace usbloop::device_sim
