#include "common/json_text.h"

#include <utility>

namespace usbloop {

bool json_depth_is_fine(std::string_view text, int most) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > most) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

Result<nlohmann::json> parse_json_object(std::string_view text) {
  const auto refuse = [](const char* cause) { return make_error(ErrorKind::protocol, "read", "JSON", cause); };
  if (!json_depth_is_fine(text)) return refuse("it is nested too deeply");
  auto value = nlohmann::json::parse(text, nullptr, false);
  if (!value.is_object()) return refuse("it is no JSON object");
  return value;
}

}  // namespace usbloop
