#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace usbloop::apiserver::proto {

/// One field of a message as it stands in the bytes.
struct Field {
  enum class Wire { varint, bytes, fixed };
  std::uint64_t number = 0;
  Wire wire = Wire::varint;
  std::uint64_t varint = 0;
  std::string_view bytes = {};  ///< of `bytes` and `fixed`
};

/// Reads the fields of one protobuf message one after the other. Never reads beyond the bytes, which are hostile.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  /// Nothing at the end, and at the first broken field: failed() tells which.
  std::optional<Field> next();
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t length);

  std::string_view rest_;
  bool failed_ = false;
};

/// Whether the field says no more than its absence: 0, empty, or a message of such fields.
bool says_nothing(const Field& field, int depth = 0);

}  // namespace usbloop::apiserver::proto
