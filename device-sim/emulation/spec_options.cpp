#include "device-sim/emulation/spec_options.h"

#include <algorithm>
#include <utility>

namespace usbloop::device_sim {

const std::string* option_of(const DeviceSpec& spec, const char* name) {
  const auto found = spec.options.find(name);
  return found == spec.options.end() ? nullptr : &found->second;
}

tl::unexpected<Error> refuse_option(const DeviceSpec& spec, std::string cause, std::string hint) {
  return make_error(ErrorKind::invalid, kEmulateOperation, spec.kind, std::move(cause), std::move(hint));
}

Result<> read_ids(const DeviceSpec& spec, std::optional<UsbId> default_id, std::uint16_t& vendor,
                  std::uint16_t& product) {
  const std::string* text = option_of(spec, "id");
  const auto id = text != nullptr ? parse_usb_id(*text) : default_id.value_or(UsbId{vendor, product});
  if (!id) {
    return refuse_option(spec, "id=" + *text + " is not VENDOR:PRODUCT", "Four hexadecimal digits each: id=0951:1666");
  }
  vendor = id->vendor;
  product = id->product;
  return {};
}

Result<> read_one_of_speeds(const DeviceSpec& spec, usbredir::Speed slower, usbredir::Speed faster,
                            usbredir::Speed& speed) {
  const std::string* text = option_of(spec, "speed");
  if (text == nullptr) return {};
  for (const usbredir::Speed one : {slower, faster}) {
    if (*text != to_string(one)) continue;
    speed = one;
    return {};
  }
  const auto megabits = [](usbredir::Speed one) {
    return one == usbredir::Speed::low ? "1.5" : one == usbredir::Speed::full ? "12" : "480";
  };
  return refuse_option(spec, "speed=" + *text + " is not a speed of this device",
                       std::string("It is ") + to_string(slower) + " (" + megabits(slower) + " Mbit/s) or " +
                           to_string(faster) + " (" + megabits(faster) + ").");
}

Result<> read_serial_number(const DeviceSpec& spec, std::string& serial) {
  const std::string* text = option_of(spec, "serial");
  if (text == nullptr) return {};
  if (auto sound = check_serial(spec, *text); !sound) return sound;
  serial = *text;
  return {};
}

Result<> check_serial(const DeviceSpec& spec, const std::string& serial) {
  // 126 is what a string descriptor holds; Windows wants printable ASCII without commas.
  const bool plain = std::all_of(serial.begin(), serial.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
  if (serial.size() > 126 || !plain)
    return refuse_option(spec, "serial= takes up to 126 printable ASCII characters without spaces");
  return {};
}

}  // namespace usbloop::device_sim
