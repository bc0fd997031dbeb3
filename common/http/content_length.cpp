#include "common/http/content_length.h"

#include <charconv>

#include "common/ascii_text.h"

namespace usbloop::http {

Result<std::optional<std::uint64_t>> content_length(const Head& head) {
  std::optional<std::uint64_t> length;
  for (const auto& [name, value] : head.headers) {
    if (!equal_ignoring_case(name, "Content-Length")) continue;
    const std::string_view text = trim(value);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = error == std::errc() && end == text.data() + text.size();
    if (!good || (length && *length != number)) {
      return make_error(ErrorKind::protocol, "read", "the HTTP head", "malformed Content-Length");
    }
    length = number;
  }
  return length;
}

}  // namespace usbloop::http
