#include "bench/devices/measure.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <random>

#include "bench/cleanup.h"
#include "bench/devices/disks.h"
#include "bench/meter.h"
#include "bench/sockets.h"
#include "e2e/harness/failure.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using e2e::Failure;

constexpr std::uint64_t kImageMebibyte = 1 << 20;

/// An image whose bytes are written, so that no store has holes.
void fill_image(const Fd& fd, std::uint64_t bytes) {
  const std::vector<std::byte> data(kImageMebibyte, std::byte{0xa5});
  for (std::uint64_t at = 0; at < bytes; at += data.size()) {
    if (::write(fd.get(), data.data(), data.size()) != static_cast<ssize_t>(data.size())) give_up("write an image");
  }
  if (::fsync(fd.get()) != 0) give_up("fsync an image");
}

class DeviceRun {
 public:
  explicit DeviceRun(const DeviceOptions& options)
      : options_(options),
        bytes_(static_cast<std::uint64_t>(options.mib) * kImageMebibyte),
        file_(::open(file_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)),
        memory_(::memfd_create("disk", MFD_CLOEXEC)) {
    if (!file_ || !memory_) give_up("make an image");
    fill_image(file_, bytes_);
    fill_image(memory_, bytes_);
  }

  void disks(DeviceResults& results) {
    const bool memory_first = random_() % 2 == 0;
    for (const char* kind : {"stick", "ssd"}) {
      for (const bool in_memory : {memory_first, !memory_first}) disk(kind, in_memory, results.disks[kind]);
    }
  }

  /// The camera in three ways: pictures as they are by bulk, small ones by isochronous packets, compressed ones by
  /// bulk.
  void cameras(DeviceResults& results) {
    camera("yuyv_640_bulk", "camera", 1, 2, results);
    camera("yuyv_320_isochronous", "camera,transfers=isochronous", 1, 1, results);
    camera("mjpeg_1280_bulk", "camera", 2, 3, results);
  }

  void idle(DeviceResults& results) {
    const std::string image = ",image=" + file_path();
    const std::vector<std::string> specs = {"stick" + image, "ssd" + image, "keyboard",   "mouse",   "serial",
                                            "ftdi",          "camera",      "microphone", "speaker", "network"};
    // One after the other, since the two disks have one image, and a device by itself is what is asked for.
    for (const std::string& spec : specs) {
      DeviceGuest guest(dir_.path(), spec);
      guest.listen();
      const double share = watch(guest, [&](Clock::time_point until) { (void)guest.next(until); });
      results.idle[spec.substr(0, spec.find(','))].push_back(share);
    }
  }

 private:
  [[nodiscard]] std::string file_path() const { return (dir_.path() / "disk.img").string(); }

  void disk(const std::string& kind, bool in_memory, std::map<std::string, DiskFigures>& figures) {
    const std::string memory = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(memory_.get());
    DeviceGuest guest(dir_.path(), kind + ",image=" + (in_memory ? memory : file_path()));
    const DiskTimes times = kind == "stick" ? time_stick(guest, bytes_) : time_ssd(guest, bytes_);
    const auto add = [&](const char* what, double seconds) {
      auto& all = in_memory ? figures[what].memory : figures[what].file;
      all.push_back(static_cast<double>(bytes_) / 1e6 / seconds);
    };
    add("read", times.read);
    add("write", times.write);
    add("flushed", times.flushed);
  }

  /// The share of a core that the device uses while `use` goes on, which is called until the time is over.
  template <typename Use>
  double watch(const DeviceGuest& guest, const Use& use) {
    const double before = cpu_seconds(guest.pid());
    const auto begin = Clock::now();
    const auto until = begin + options_.watch;
    while (Clock::now() < until) use(until);
    return (cpu_seconds(guest.pid()) - before) / std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void camera(const char* name, const std::string& spec, std::uint8_t format, std::uint8_t frame,
              DeviceResults& results) {
    constexpr std::uint8_t kEndpoint = 0x81, kSet = 1;
    constexpr std::uint16_t kCommit = 0x0200, kStreaming = 1;
    constexpr std::uint32_t kThirtyPerSecond = 333'333;
    DeviceGuest guest(dir_.path(), spec);
    std::array<std::byte, 26> mode{};
    mode[2] = std::byte{format};
    mode[3] = std::byte{frame};
    std::memcpy(mode.data() + 4, &kThirtyPerSecond, sizeof kThirtyPerSecond);
    guest.control_out(0x21, kSet, kCommit, kStreaming, mode);
    const bool is_bulk = spec.find("isochronous") == std::string::npos;
    int pictures = 0;
    double share = 0;
    if (is_bulk) {
      constexpr std::uint32_t kPayload = 16'384;
      constexpr int kAtOnce = 5;  // as Linux
      constexpr std::byte kEndOfPicture{2};
      for (int i = 0; i < kAtOnce; ++i) guest.in(kEndpoint, kPayload);
      share = watch(guest, [&](Clock::time_point until) {
        const auto answer = guest.next(until);
        if (!answer) return;
        if ((answer->second & kEndOfPicture) != std::byte{0}) ++pictures;
        guest.in(kEndpoint, kPayload);
      });
    } else {
      constexpr std::uint8_t kEnoughForThirty = 4;  // 320x240: the setting that Linux chooses
      guest.select(kStreaming, kEnoughForThirty);
      if (!guest.start_isochronous(kEndpoint)) throw Failure("the camera has no isochronous stream");
      share = watch(guest, [&](Clock::time_point until) { (void)guest.next(until); });
      pictures = guest.pictures();
    }
    results.cameras[name].share.push_back(share);
    results.cameras[name].pictures_per_second.push_back(pictures /
                                                        std::chrono::duration<double>(options_.watch).count());
  }

  const DeviceOptions& options_;
  const BenchDir dir_;
  std::uint64_t bytes_;
  Fd file_, memory_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

DeviceResults measure_devices(const DeviceOptions& options, const std::function<void(const std::string&)>& progress) {
  DeviceResults results;
  const auto begin = Clock::now();
  DeviceRun run(options);
  for (int round = 1; round <= options.rounds; ++round) {
    progress("round " + std::to_string(round) + " of " + std::to_string(options.rounds));
    run.disks(results);
    run.cameras(results);
    run.idle(results);
  }
  results.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return results;
}

}  // namespace usbloop::bench
