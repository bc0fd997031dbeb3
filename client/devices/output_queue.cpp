#include "client/devices/output_queue.h"

namespace usbloop::client {

bool OutputQueue::push(std::uint8_t* data, std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (bytes_ >= limit_) return false;
  packets_.push_back({data, size});
  bytes_ += size;
  return true;
}

std::span<const std::byte> OutputQueue::front() const {
  const std::lock_guard lock(mutex_);
  if (packets_.empty()) return {};
  const Packet& packet = packets_.front();
  return std::as_bytes(std::span(packet.data, packet.size)).subspan(offset_);
}

void OutputQueue::consume(std::size_t count) {
  const std::lock_guard lock(mutex_);
  bytes_ -= count;
  offset_ += count;
  while (!packets_.empty() && offset_ >= packets_.front().size) {
    offset_ -= packets_.front().size;
    release_(packets_.front().data);
    packets_.pop_front();
  }
}

std::size_t OutputQueue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void OutputQueue::clear() {
  const std::lock_guard lock(mutex_);
  for (const Packet& packet : packets_) release_(packet.data);
  packets_.clear();
  bytes_ = offset_ = 0;
}

}  // namespace usbloop::client
