#include "device-sim/spec_options.h"

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

Result<UsbId> read_id(const DeviceSpec& spec, std::optional<UsbId> default_id, UsbId own) {
  const std::string* text = option_of(spec, "id");
  if (text == nullptr) return default_id.value_or(own);
  if (const auto id = parse_usb_id(*text)) return *id;
  return refuse_option(spec, "id=" + *text + " is not VENDOR:PRODUCT", "Four hexadecimal digits each: id=0951:1666");
}

Result<> check_serial(const DeviceSpec& spec, const std::string& serial) {
  // 126 is what a string descriptor holds; Windows wants printable ASCII without commas.
  const bool plain = std::all_of(serial.begin(), serial.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
  if (serial.size() > 126 || !plain)
    return refuse_option(spec, "serial= takes up to 126 printable ASCII characters without spaces");
  return {};
}

}  // namespace usbloop::device_sim
