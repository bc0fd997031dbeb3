#include "common/http/head.h"

#include <algorithm>

#include "common/ascii_text.h"

namespace usbloop::http {

std::string Head::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return std::string(trim(value));
  }
  return {};
}

bool Head::has_header(std::string_view name) const { return count(name) > 0; }

std::size_t Head::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(), [&](const auto& header) { return equal_ignoring_case(header.first, name); }));
}

bool Head::has_token(std::string_view name, std::string_view token) const {
  for (const auto& [key, value] : headers) {
    if (!equal_ignoring_case(key, name)) continue;
    std::string_view rest = value;
    while (true) {
      const auto comma = rest.find(',');
      if (equal_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

std::optional<std::size_t> head_length(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return end + 4;
}

}  // namespace usbloop::http
