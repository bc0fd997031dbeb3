#pragma once

#include <usbredirparser.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

namespace usbloop::usbredir {

/// Releases a buffer made by libusbredirparser's write path, or by malloc.
struct WriteBufferDeleter {
  void operator()(std::uint8_t* data) const { usbredirparser_free_write_buffer(nullptr, data); }
};
using WriteBuffer = std::unique_ptr<std::uint8_t, WriteBufferDeleter>;

/// The bytes for the peer, in order. Big packets stay in the buffer they were made in; small ones are gathered, so that
/// the packets of one announcement leave in one write. Not bounded by itself: the parser stops taking input instead.
class OutputQueue {
 public:
  /// Takes the bytes [offset, offset + size) of `buffer`. size 0 is allowed and adds nothing.
  void append(WriteBuffer buffer, std::size_t offset, std::size_t size);

  /// The first contiguous piece; empty when nothing waits. Stays valid, though it may not be all, when more is
  /// appended.
  [[nodiscard]] std::span<const std::byte> front() const;
  /// Drops `count` bytes of front(); count <= front().size().
  void consume(std::size_t count);

  /// All bytes that wait.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Chunk {
    WriteBuffer data;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t capacity = 0;
  };
  bool gather(std::span<const std::uint8_t> bytes);

  std::deque<Chunk> chunks_;
  std::size_t size_ = 0;
};

}  // namespace usbloop::usbredir
