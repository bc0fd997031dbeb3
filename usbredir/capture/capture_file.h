#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "common/error.h"
#include "usbredir/capture/blocks.h"
#include "usbredir/capture/preamble.h"
#include "usbredir/capture/urb.h"
#include "usbredir/capture/write_queue.h"
#include "usbredir/host_end.h"

namespace usbloop::capture {

/// The least size that a capture can be limited to: a device's descriptors and the longest transfers have to fit.
inline constexpr std::uint64_t kLeastCaptureSize = 16 * 1024 * 1024;

struct CaptureOptions {
  std::filesystem::path path = {};
  std::uint64_t size = 0;               ///< bytes of both files together; 0: one file without a limit
  std::size_t snap = SIZE_MAX;          ///< bytes of a packet's data that are kept
  std::size_t room = 32 * 1024 * 1024;  ///< bytes that may wait for the disk
  std::string application = {};         ///< the program's name and version
};

/// What has become of the records so far.
struct CaptureCounts {
  std::uint64_t records = 0;  ///< that came
  std::uint64_t lost = 0;     ///< of these: the disk was too slow, or full
};

/// A file of the project's trace format: pcapng with link type 220, an interface for each redirection of a device.
/// docs/captures.md says what stands in it. Thread-safe.
class CaptureFile {
 public:
  struct Device;  ///< one redirection

  /// Creates the file, or empties one that is there, and begins it. A pipe waits for its reader. `trouble`: once, from
  /// another thread, when the file cannot be written any more; must not call this object. Errors: what open(2) and
  /// write(2) say; invalid (a limit for what is no file).
  static Result<std::unique_ptr<CaptureFile>> create(const CaptureOptions& options,
                                                     std::function<void(const Error&)> trouble);
  /// close(), with two seconds of patience.
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  /// A redirection begins or ends; with remove() the device has gone.
  Device& add(const usbredir::DeviceDescription& description);
  void remove(Device& device);

  /// One record; its time, bus and device are set here. Never waits: what finds no room is counted as lost.
  void record(Device& device, Urb&& urb);

  [[nodiscard]] std::size_t snap() const { return options_.snap; }
  [[nodiscard]] CaptureCounts counts() const;

  /// Writes what waits, with the counts. False: not all of it could be written in that time.
  bool close(std::chrono::milliseconds patience);

 private:
  CaptureFile(const CaptureOptions& options, Fd file, std::size_t size, std::function<void(const Error&)> trouble);
  [[nodiscard]] std::chrono::microseconds now();
  bool push(std::vector<Piece>&& pieces, Room room);
  Piece introduce(Device& device);
  Piece frame(const Device& device, Urb&& urb, std::uint64_t lost);
  Piece statistics(const Device& device);
  void begin_next_file();

  const CaptureOptions options_;
  mutable std::mutex mutex_;
  std::list<Device> devices_;
  unsigned numbered_ = 0;         ///< devices so far
  std::uint32_t interfaces_ = 0;  ///< of the file at hand
  std::uint64_t file_size_ = 0;
  std::uint64_t lost_in_a_row_ = 0;
  CaptureCounts counts_;
  std::chrono::microseconds last_time_{};
  const std::chrono::microseconds wall_base_;
  const std::chrono::steady_clock::time_point steady_base_;
  bool closed_ = false;
  WriteQueue queue_;
};

}  // namespace usbloop::capture
