#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace usbloop::client {

/// What an interface of a device is for (USB 2.0 section 9.6.5).
struct InterfaceClass {
  std::uint8_t number = 0;  ///< bInterfaceClass, or bDeviceClass of a device that says it for all
  std::uint8_t subclass = 0;
  std::uint8_t protocol = 0;
};

/// "mass storage", "keyboard", "hub"; "class 0x42" for one that has no name (usb.org/defined-class-codes).
std::string class_name(const InterfaceClass& what);

/// The names of all, each once, joined by commas; empty for none.
std::string class_names(const std::vector<InterfaceClass>& all);

/// A keyboard in the form that the BIOS knows, as every keyboard is.
bool is_keyboard(const InterfaceClass& what);

}  // namespace usbloop::client
