#include "client/duration.h"

#include <charconv>
#include <utility>

namespace usbloop::client {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMost = std::chrono::hours(24 * 366);

/// Takes `ms`, `s`, `m` or `h` from the front.
std::optional<milliseconds> take_unit(std::string_view& text) {
  constexpr std::pair<std::string_view, milliseconds> kUnits[] = {{"ms", milliseconds(1)},
                                                                  {"s", std::chrono::seconds(1)},
                                                                  {"m", std::chrono::minutes(1)},
                                                                  {"h", std::chrono::hours(1)}};
  for (const auto& [name, length] : kUnits) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return length;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  milliseconds sum{0};
  bool is_first = true;
  while (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const bool is_bare = is_first && text.empty();
    const auto unit = is_bare ? std::optional<milliseconds>(std::chrono::seconds(1)) : take_unit(text);
    if (!unit) return std::nullopt;
    sum += number * *unit;  // far from what 64 bits hold
    if (sum > kMost) return std::nullopt;
    is_first = false;
  }
  return sum;
}

}  // namespace usbloop::client
