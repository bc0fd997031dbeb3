#include "client/devices/usb_class.h"

#include <algorithm>
#include <cstdio>

namespace usbloop::client {

namespace {

constexpr std::uint8_t kHid = 0x03;
constexpr std::uint8_t kBootSubclass = 1;
constexpr std::uint8_t kBootKeyboard = 1;
constexpr std::uint8_t kBootMouse = 2;

struct NamedClass {
  std::uint8_t number;
  const char* name;
};

constexpr NamedClass kNames[] = {
    {0x01, "audio"},
    {0x02, "communications"},
    {0x03, "human interface"},
    {0x05, "physical interface"},
    {0x06, "image"},
    {0x07, "printer"},
    {0x08, "mass storage"},
    {0x09, "hub"},
    {0x0a, "communications data"},
    {0x0b, "smart card"},
    {0x0d, "content security"},
    {0x0e, "video"},
    {0x0f, "personal healthcare"},
    {0x10, "audio/video"},
    {0x11, "billboard"},
    {0xdc, "diagnostic"},
    {0xe0, "wireless"},
    {0xef, "miscellaneous"},
    {0xfe, "application specific"},
    {0xff, "vendor specific"},
};

}  // namespace

bool is_keyboard(const InterfaceClass& what) {
  return what.number == kHid && what.subclass == kBootSubclass && what.protocol == kBootKeyboard;
}

std::string class_name(const InterfaceClass& what) {
  if (is_keyboard(what)) return "keyboard";
  if (what.number == kHid && what.subclass == kBootSubclass && what.protocol == kBootMouse) return "mouse";
  for (const auto& [number, name] : kNames) {
    if (number == what.number) return name;
  }
  char text[16];
  std::snprintf(text, sizeof text, "class 0x%02x", what.number);
  return text;
}

std::string class_names(const std::vector<InterfaceClass>& all) {
  std::vector<std::string> names;
  for (const auto& what : all) {
    auto name = class_name(what);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace usbloop::client
