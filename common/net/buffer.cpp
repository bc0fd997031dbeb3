#include "common/net/buffer.h"

#include <array>

namespace usbloop::net {
namespace {

using Memory = std::unique_ptr<std::byte[]>;

/// The buffers that this thread may use again: one for each direction and layer that is at work at one time.
class Pool {
 public:
  ~Pool() { gone() = true; }

  /// The thread is ending: what is given back after its pool has gone is freed.
  static bool& gone() {
    thread_local bool is_gone = false;
    return is_gone;
  }

  Memory take() { return count_ == 0 ? nullptr : std::move(kept_[--count_]); }
  void keep(Memory memory) {
    if (count_ < kept_.size()) kept_[count_++] = std::move(memory);
  }

 private:
  std::array<Memory, 8> kept_;
  std::size_t count_ = 0;
};

Pool* pool() {
  if (Pool::gone()) return nullptr;
  thread_local Pool of_this_thread;
  return &of_this_thread;
}

}  // namespace

Buffer::Buffer(std::size_t size) : size_(size) {
  if (size == kUsualSize) {
    if (Pool* kept = pool()) memory_ = kept->take();
  }
  if (!memory_) memory_.reset(new std::byte[size]);  // not make_unique, which writes zeros
}

void Buffer::release() {
  if (!memory_) return;
  Memory memory = std::move(memory_);
  if (std::exchange(size_, 0) != kUsualSize) return;
  if (Pool* kept = pool()) kept->keep(std::move(memory));
}

}  // namespace usbloop::net
