#pragma once

#include <algorithm>
#include <string>
#include <string_view>

// Letters without regard to case, as protocols mean it (RFC 9110, 5.1; RFC 1123): ASCII alone, whatever the locale.
namespace usbloop {

constexpr char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower_case(c);
  return result;
}

inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_case(x) == lower_case(y); });
}

}  // namespace usbloop
