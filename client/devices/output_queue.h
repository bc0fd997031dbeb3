#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>

namespace usbloop::client {

/// Packets on their way to the guest, in order. Filled from any thread, emptied by one. Bounded: once `limit` bytes
/// wait, no further packet is taken (one that is larger than what is left still is, since packets come whole).
class OutputQueue {
 public:
  /// `release` gives a packet's memory back.
  OutputQueue(std::size_t limit, std::function<void(std::uint8_t*)> release)
      : limit_(limit), release_(std::move(release)) {}
  ~OutputQueue() { clear(); }
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  /// Takes ownership of the packet and returns true, or leaves it to the caller when the queue is full.
  bool push(std::uint8_t* data, std::size_t size);

  /// The rest of the first packet. Valid until consume() or clear().
  [[nodiscard]] std::span<const std::byte> front() const;
  void consume(std::size_t count);

  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] bool full() const { return bytes() >= limit_; }
  void clear();

 private:
  struct Packet {
    std::uint8_t* data;
    std::size_t size;
  };

  const std::size_t limit_;
  const std::function<void(std::uint8_t*)> release_;
  mutable std::mutex mutex_;
  std::deque<Packet> packets_;
  std::size_t offset_ = 0;  // into the first packet
  std::size_t bytes_ = 0;
};

}  // namespace usbloop::client
