#include "client/selector.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

namespace usbloop::client {

namespace {

constexpr const char* kForms =
    "Write VENDOR:PRODUCT (hexadecimal, for example 0951:1666) or BUS-DEVICE (decimal, for example 1-3); lsusb and "
    "--list show both.";

tl::unexpected<Error> wrong(const std::string& text, const std::string& cause, const std::string& hint = kForms) {
  const std::string shown = text.size() <= 64 ? text : text.substr(0, 64) + "...";
  return make_error(ErrorKind::invalid, "select device", "\"" + shown + "\"", cause, hint);
}

/// All of `text` as a number of at most `digits` digits.
std::optional<unsigned> number(std::string_view text, int base, std::size_t digits) {
  if (text.empty() || text.size() > digits) return std::nullopt;
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool has_hex_prefix(std::string_view text) { return text.starts_with("0x") || text.starts_with("0X"); }

Result<Selector> parse_vendor_product(const std::string& text, std::size_t colon) {
  const std::string_view all(text);
  const auto vendor_text = all.substr(0, colon);
  const auto product_text = all.substr(colon + 1);
  if (has_hex_prefix(vendor_text) || has_hex_prefix(product_text)) {
    return wrong(text, "the numbers are hexadecimal already", "Leave the 0x out, for example 0951:1666.");
  }
  if (vendor_text.empty()) return wrong(text, "the vendor id before the colon is missing");
  if (product_text.empty()) return wrong(text, "the product id after the colon is missing");
  const auto vendor = number(vendor_text, 16, 4);
  if (!vendor) return wrong(text, "the vendor id is not one to four hexadecimal digits");
  const auto product = number(product_text, 16, 4);
  if (!product) return wrong(text, "the product id is not one to four hexadecimal digits");
  return Selector(VendorProduct{static_cast<std::uint16_t>(*vendor), static_cast<std::uint16_t>(*product)});
}

Result<Selector> parse_bus_device(const std::string& text, std::size_t dash) {
  const std::string_view all(text);
  if (all.find('.', dash) != std::string_view::npos) {
    return wrong(text, "this is the path of a port, not a device number",
                 "Write the two numbers after \"Bus\" and \"Device\" in lsusb's output, for example 1-3.");
  }
  const auto bus = number(all.substr(0, dash), 10, 3);
  const auto device = number(all.substr(dash + 1), 10, 3);
  if (!bus || *bus < 1 || *bus > 255) return wrong(text, "the bus before the dash is not a number from 1 to 255");
  if (!device || *device < 1 || *device > 127) {
    return wrong(text, "the device after the dash is not a number from 1 to 127");
  }
  return Selector(BusDevice{static_cast<std::uint8_t>(*bus), static_cast<std::uint8_t>(*device)});
}

}  // namespace

Result<Selector> parse_selector(const std::string& text) {
  if (text.empty()) return wrong(text, "it is empty");
  if (text.starts_with('/')) {
    return wrong(text, "device nodes are not taken", "Write BUS-DEVICE: /dev/bus/usb/001/003 is 1-3.");
  }
  if (const auto colon = text.find(':'); colon != std::string::npos) return parse_vendor_product(text, colon);
  if (const auto dash = text.find('-'); dash != std::string::npos) return parse_bus_device(text, dash);
  return wrong(text, "it has neither a colon nor a dash");
}

std::string to_string(const Selector& selector) {
  if (const auto* place = std::get_if<BusDevice>(&selector)) {
    return std::to_string(place->bus) + "-" + std::to_string(place->device);
  }
  const auto& kind = std::get<VendorProduct>(selector);
  char text[10];
  std::snprintf(text, sizeof text, "%04x:%04x", kind.vendor, kind.product);
  return text;
}

}  // namespace usbloop::client
