#include "usbredir/output_queue.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace usbloop::usbredir {
namespace {

constexpr std::size_t kGatherBelow = 1024;
constexpr std::size_t kGatherCapacity = 8192;

}  // namespace

bool OutputQueue::gather(std::span<const std::uint8_t> bytes) {
  if (bytes.size() >= kGatherBelow || chunks_.empty()) return false;
  Chunk& last = chunks_.back();
  if (last.capacity - last.end < bytes.size()) {
    // A buffer of the library has no spare room; begin a gathering one behind it.
    WriteBuffer data(static_cast<std::uint8_t*>(std::malloc(kGatherCapacity)));
    if (!data) return false;
    chunks_.push_back({std::move(data), 0, 0, kGatherCapacity});
  }
  Chunk& target = chunks_.back();
  std::memcpy(target.data.get() + target.end, bytes.data(), bytes.size());
  target.end += bytes.size();
  size_ += bytes.size();
  return true;
}

void OutputQueue::append(WriteBuffer buffer, std::size_t offset, std::size_t size) {
  if (size == 0 || gather({buffer.get() + offset, size})) return;
  chunks_.push_back({std::move(buffer), offset, offset + size, offset + size});
  size_ += size;
}

std::span<const std::byte> OutputQueue::front() const {
  if (chunks_.empty()) return {};
  const Chunk& chunk = chunks_.front();
  return {reinterpret_cast<const std::byte*>(chunk.data.get()) + chunk.begin, chunk.end - chunk.begin};
}

void OutputQueue::consume(std::size_t count) {
  if (chunks_.empty()) return;
  Chunk& chunk = chunks_.front();
  assert(count <= chunk.end - chunk.begin);
  count = std::min(count, chunk.end - chunk.begin);
  chunk.begin += count;
  size_ -= count;
  if (chunk.begin == chunk.end) chunks_.pop_front();
}

}  // namespace usbloop::usbredir
