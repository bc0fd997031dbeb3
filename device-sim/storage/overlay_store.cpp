#include "device-sim/storage/overlay_store.h"

#include <algorithm>
#include <array>

namespace usbloop::device_sim {

bool OverlayStore::is_written(std::uint64_t chunk) const {
  const auto map = written_.find(chunk / kChunksOfMap);
  return map != written_.end() && map->second.test(chunk % kChunksOfMap);
}

void OverlayStore::mark(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t chunk = first; chunk <= last; ++chunk) written_[chunk / kChunksOfMap].set(chunk % kChunksOfMap);
}

Result<> OverlayStore::copy_up(std::uint64_t chunk) {
  if (is_written(chunk)) return {};
  std::array<std::byte, kChunk> bytes{};
  const std::uint64_t at = chunk * kChunk;
  const auto part = std::span(bytes).first(std::min(kChunk, size() - at));
  if (auto read = base_->read(at, part); !read) return read;
  if (auto written = top_->write(at, part); !written) return written;
  mark(chunk, chunk);
  return {};
}

Result<> OverlayStore::read(std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const std::uint64_t chunk = offset / kChunk;
    const bool above = is_written(chunk);
    // As many chunks at once as lie in the same store.
    std::uint64_t end = (chunk + 1) * kChunk;
    while (end < offset + into.size() && is_written(end / kChunk) == above) end += kChunk;
    const auto part = into.first(std::min<std::uint64_t>(into.size(), end - offset));
    if (auto done = (above ? top_ : base_)->read(offset, part); !done) return done;
    into = into.subspan(part.size());
    offset += part.size();
  }
  return {};
}

Result<> OverlayStore::write(std::uint64_t offset, std::span<const std::byte> from) {
  if (from.empty()) return {};
  const std::uint64_t end = offset + from.size();
  const std::uint64_t first = offset / kChunk;
  const std::uint64_t last = (end - 1) / kChunk;
  if (offset % kChunk != 0) {
    if (auto kept = copy_up(first); !kept) return kept;
  }
  if (end % kChunk != 0 && end != size()) {
    if (auto kept = copy_up(last); !kept) return kept;
  }
  if (auto done = top_->write(offset, from); !done) return done;
  mark(first, last);
  return {};
}

}  // namespace usbloop::device_sim
