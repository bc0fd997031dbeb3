#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace usbloop::net {

/// Memory for bytes on their way. It is not initialised, and the thread that gives it back keeps it for its next use.
/// So an idle relay can hold none, and waking it up still costs nothing. Use and give back in any thread.
class Buffer {
 public:
  /// What is kept for reuse: kPayload, with room for frames and TLS records around it. Other sizes are made and freed
  /// as they are asked for.
  static constexpr std::size_t kPayload = 256 * 1024;
  static constexpr std::size_t kUsualSize = kPayload + 2 * 1024;

  Buffer() = default;
  explicit Buffer(std::size_t size);
  ~Buffer() { release(); }
  Buffer(Buffer&& other) noexcept : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    return *this;
  }

  explicit operator bool() const { return memory_ != nullptr; }
  [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.get(), size_}; }
  /// Gives the memory back.
  void release();

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_ = 0;
};

}  // namespace usbloop::net
