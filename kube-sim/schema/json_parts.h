#pragma once

#include <cstddef>
#include <string_view>

namespace usbloop::apiserver {

/// A member of an object or an element of an array, as text.
struct JsonPart {
  std::string_view name;   ///< as it is written, escapes and all, without the quotes; empty in an array
  std::string_view value;  ///< as it stands
  bool operator==(const JsonPart&) const = default;
};

/// Goes through the parts of the JSON object or array that this text is, without a look into their values: many times
/// quicker than reading it into a tree. For text that our own writer made, which has no blanks.
class JsonParts {
 public:
  /// The parts point into `text`.
  explicit JsonParts(std::string_view text);

  /// Takes the next part. False at the end, or where the text is not as our writer makes it.
  bool next(JsonPart& part);
  /// When next() has answered false: the text is as our writer makes it, up to its last byte.
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;  ///< of the bracket or the comma before the next part
  char close_ = '\0';   ///< the bracket that ends the text; '\0': there is no next part
  bool whole_ = false;
};

}  // namespace usbloop::apiserver
