#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::capture {

/// A piece of a file that is written whole or not at all.
struct Piece {
  std::vector<std::byte> before;
  std::vector<std::byte> data;
  std::vector<std::byte> after;
  bool begins_file = false;  ///< the file so far becomes the older one (older_file()), and this begins a new one

  [[nodiscard]] std::size_t size() const { return before.size() + data.size() + after.size(); }
};

/// Whether pieces are left out where there is no room, or are needed by all that follow.
enum class Room { if_free, take };

/// Where the older half of a capture of limited size stands: `stick.1.pcapng` beside `stick.pcapng`.
std::filesystem::path older_file(const std::filesystem::path& path);

/// Writes pieces to a file, from a thread of its own, so that a slow disk stops nobody. What waits is bounded. Each
/// piece is with the kernel as soon as the disk takes it, so that a program that is killed leaves a file that can be
/// read. Thread-safe.
class WriteQueue {
 public:
  /// `size`: bytes that the file has already. `room`: bytes that may wait. `trouble` is called at most once, from the
  /// thread that writes, and must not call this object: the file cannot be written any more, and ends with the last
  /// piece that it took.
  WriteQueue(Fd file, std::size_t size, std::filesystem::path path, std::size_t room,
             std::function<void(const Error&)> trouble);
  /// close() without patience.
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  /// False when there is no room for all of them and none is to be taken, or the file cannot be written: then no piece
  /// is taken.
  bool push(std::vector<Piece>&& pieces, Room room);

  /// Takes no more, and waits until all is written; at most `patience`. False: something has not been written.
  bool close(std::chrono::milliseconds patience);

 private:
  class Writer;
  std::shared_ptr<Writer> writer_;  // shared with its thread, which a disk may hold
};

}  // namespace usbloop::capture
