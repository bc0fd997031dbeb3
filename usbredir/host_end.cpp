#include "usbredir/host_end.h"

#include <array>
#include <cstdio>

#include "common/shown_text.h"

namespace usbloop::usbredir {

std::string to_string(Speed speed) {
  switch (speed) {
    case Speed::low: return "low";
    case Speed::full: return "full";
    case Speed::high: return "high";
    case Speed::super: return "super";
  }
  return "unknown";
}

std::string megabits(Speed speed) {
  switch (speed) {
    case Speed::low: return "1.5";
    case Speed::full: return "12";
    case Speed::high: return "480";
    case Speed::super: return "5000";
  }
  return "unknown";
}

std::string printable(const std::string& text) {
  constexpr std::size_t kLongest = 126;
  return one_line(text, kLongest);
}

std::string DeviceDescription::id() const {
  std::array<char, 10> text{};
  std::snprintf(text.data(), text.size(), "%04x:%04x", vendor_id, product_id);
  return text.data();
}

std::string DeviceDescription::label() const {
  std::string name = printable(manufacturer);
  if (!name.empty() && !product.empty()) name += ' ';
  name += printable(product);
  std::string text = id();
  if (!name.empty()) text += " \"" + name + "\"";
  if (!kind.empty()) text += " (" + kind + ")";
  return text;
}

}  // namespace usbloop::usbredir
