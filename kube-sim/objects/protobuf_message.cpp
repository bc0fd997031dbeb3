#include "kube-sim/objects/protobuf_message.h"

#include <algorithm>

namespace usbloop::apiserver::proto {

std::optional<Field> MessageReader::next() {
  if (rest_.empty() || failed_) return std::nullopt;
  const std::uint64_t tag = varint();
  Field field;
  field.number = tag >> 3U;
  switch (tag & 7U) {
    case 0: field.varint = varint(); break;
    case 1: field.wire = Field::Wire::fixed, field.bytes = take(8); break;
    case 2: field.wire = Field::Wire::bytes, field.bytes = take(varint()); break;
    case 5: field.wire = Field::Wire::fixed, field.bytes = take(4); break;
    default: failed_ = true;
  }
  if (failed_) return std::nullopt;
  return field;
}

std::uint64_t MessageReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  failed_ = true;
  return 0;
}

std::string_view MessageReader::take(std::uint64_t length) {
  if (failed_ || length > rest_.size()) {
    failed_ = true;
    return {};
  }
  const std::string_view bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return bytes;
}

bool says_nothing(const Field& field, int depth) {
  constexpr int kDeepest = 16;
  if (field.wire == Field::Wire::varint) return field.varint == 0;
  if (field.wire == Field::Wire::fixed) {
    return std::all_of(field.bytes.begin(), field.bytes.end(), [](char byte) { return byte == 0; });
  }
  if (field.bytes.empty()) return true;
  if (depth == kDeepest) return false;
  MessageReader inner(field.bytes);
  while (const auto part = inner.next()) {
    if (part->number == 0 || !says_nothing(*part, depth + 1)) return false;
  }
  return !inner.failed();
}

}  // namespace usbloop::apiserver::proto
