#include "usbredir/capture/capture_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace usbloop::capture {
namespace {

std::uint64_t bits_per_second(usbredir::Speed speed) {
  switch (speed) {
    case usbredir::Speed::low: return 1'500'000;
    case usbredir::Speed::full: return 12'000'000;
    case usbredir::Speed::high: return 480'000'000;
    case usbredir::Speed::super: return 5'000'000'000;
  }
  return 0;
}

std::chrono::microseconds wall_clock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
}

Piece piece_of(std::vector<std::byte> bytes) {
  Piece piece;
  piece.before = std::move(bytes);
  return piece;
}

/// What a person can do when the file cannot be begun.
tl::unexpected<Error> not_begun(const std::filesystem::path& path, int number = errno) {
  constexpr const char* kCapture = "capture to";
  auto error = make_errno_error(kCapture, path, number);
  const bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  error.value().hint = is_full ? "Make room there, or name a file on another disk."
                               : "Name a file that you may write, in a folder that is there.";
  return error;
}

std::vector<Piece> one(Piece piece) {
  std::vector<Piece> pieces;
  pieces.push_back(std::move(piece));
  return pieces;
}

}  // namespace

struct CaptureFile::Device {
  Interface interface;
  std::uint16_t bus = 1;
  std::uint8_t number = 1;
  bool introduced = false;  ///< in the file at hand
  std::uint32_t index = 0;  ///< among its interfaces
  CaptureCounts counts;
  Preamble preamble;
};

Result<std::unique_ptr<CaptureFile>> CaptureFile::create(const CaptureOptions& options,
                                                         std::function<void(const Error&)> trouble) {
  constexpr const char* kCapture = "capture to";
  constexpr mode_t kOwnerOnly = 0600;  // what is on a stick is nobody else's business
  Fd file(::open(options.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly));
  if (!file) return not_begun(options.path);
  struct stat what {};
  if (::fstat(file.get(), &what) != 0) return not_begun(options.path);
  if (options.size > 0 && !S_ISREG(what.st_mode)) {
    return make_error(ErrorKind::invalid, kCapture, options.path, "it is no file, so its size cannot be limited",
                      "Leave --capture-size out, or name a file.");
  }
  const auto first = section_block(options.application);
  const ssize_t written = ::write(file.get(), first.data(), first.size());
  if (written < 0) return not_begun(options.path);
  if (static_cast<std::size_t>(written) < first.size()) return not_begun(options.path, ENOSPC);
  return std::unique_ptr<CaptureFile>(new CaptureFile(options, std::move(file), first.size(), std::move(trouble)));
}

CaptureFile::CaptureFile(const CaptureOptions& options, Fd file, std::size_t size,
                         std::function<void(const Error&)> trouble)
    : options_(options),
      file_size_(size),
      wall_base_(wall_clock()),
      steady_base_(std::chrono::steady_clock::now()),
      queue_(std::move(file), size, options.path, options.room, std::move(trouble)) {}

CaptureFile::~CaptureFile() { close(std::chrono::seconds(2)); }

/// The wall's clock, which never goes back here.
std::chrono::microseconds CaptureFile::now() {
  const auto since = std::chrono::steady_clock::now() - steady_base_;
  last_time_ = std::max(last_time_, wall_base_ + std::chrono::duration_cast<std::chrono::microseconds>(since));
  return last_time_;
}

bool CaptureFile::push(std::vector<Piece>&& pieces, Room room) {
  std::uint64_t size = file_size_;
  for (const Piece& piece : pieces) size = (piece.begins_file ? 0 : size) + piece.size();
  if (!queue_.push(std::move(pieces), room)) return false;
  file_size_ = size;
  return true;
}

CaptureFile::Device& CaptureFile::add(const usbredir::DeviceDescription& description) {
  constexpr unsigned kDevicesOfBus = 127;
  const std::lock_guard lock(mutex_);
  Device& device = devices_.emplace_back();
  device.bus = static_cast<std::uint16_t>(1 + numbered_ / kDevicesOfBus);
  device.number = static_cast<std::uint8_t>(1 + numbered_ % kDevicesOfBus);
  ++numbered_;
  device.interface = {"usbloop" + std::to_string(numbered_), description.label(), bits_per_second(description.speed)};
  return device;
}

void CaptureFile::remove(Device& device) {
  const std::lock_guard lock(mutex_);
  if (device.introduced && !closed_) push(one(statistics(device)), Room::take);
  devices_.remove_if([&](const Device& other) { return &other == &device; });
}

Piece CaptureFile::introduce(Device& device) {
  device.index = interfaces_++;
  device.introduced = true;
  return piece_of(interface_block(device.interface));
}

Piece CaptureFile::frame(const Device& device, Urb&& urb, std::uint64_t lost) {
  urb.time = now();
  urb.bus = device.bus;
  urb.device = device.number;
  PacketFrame frame = packet_frame(device.index, urb, lost);
  return {std::move(frame.before), std::move(urb.data), std::move(frame.after)};
}

Piece CaptureFile::statistics(const Device& device) {
  return piece_of(statistics_block(device.index, now(), device.counts.records, device.counts.lost));
}

/// The file so far gets its counts; a new one begins with all that its readers need of the devices at hand.
void CaptureFile::begin_next_file() {
  std::vector<Piece> pieces;
  for (const Device& device : devices_) {
    if (device.introduced) pieces.push_back(statistics(device));
  }
  pieces.push_back(piece_of(section_block(options_.application)));
  pieces.back().begins_file = true;
  interfaces_ = 0;
  for (Device& device : devices_) {
    pieces.push_back(introduce(device));
    for (Urb& urb : device.preamble.repeat()) pieces.push_back(frame(device, std::move(urb), 0));
  }
  push(std::move(pieces), Room::take);
}

void CaptureFile::record(Device& device, Urb&& urb) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  ++counts_.records;
  ++device.counts.records;
  device.preamble.look_at(urb);
  constexpr std::uint64_t kRoomForBlocks = 4096;
  const std::uint64_t limit = options_.size / 2;
  const bool is_full = limit > 0 && file_size_ + urb.data.size() + kRoomForBlocks > limit;
  if (is_full) begin_next_file();
  if (!device.introduced) push(one(introduce(device)), Room::take);
  const bool taken = push(one(frame(device, std::move(urb), lost_in_a_row_)), Room::if_free);
  lost_in_a_row_ = taken ? 0 : lost_in_a_row_ + 1;
  if (taken) return;
  ++counts_.lost;
  ++device.counts.lost;
}

CaptureCounts CaptureFile::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool CaptureFile::close(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    for (const Device& device : devices_) {
      if (device.introduced && !closed_) push(one(statistics(device)), Room::take);
    }
    closed_ = true;
  }
  return queue_.close(patience);
}

}  // namespace usbloop::capture
