#include "usbredir/selector.h"

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

namespace usbloop::usbredir {

namespace {

constexpr const char* kForms =
    "Write VENDOR:PRODUCT (hexadecimal, for example 0951:1666), BUS-DEVICE (decimal, for example 1-3), port=1-2.3 or "
    "serial=TEXT; `list -o wide` shows them all.";

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

/// BUS:DEVICE in lsusb's own form, which no ids are printed in.
std::optional<BusDevice> lsusb_place(std::string_view text) {
  constexpr std::size_t kLength = 7;
  if (text.size() != kLength || text[3] != ':') return std::nullopt;
  const auto bus = number(text.substr(0, 3), 10, 3);
  const auto device = number(text.substr(4), 10, 3);
  if (!bus || *bus < 1 || *bus > 255 || !device || *device < 1 || *device > 127) return std::nullopt;
  return BusDevice{static_cast<std::uint8_t>(*bus), static_cast<std::uint8_t>(*device)};
}

/// Brings a port path into sysfs' form, without leading zeros.
Result<Selector> parse_port(const std::string& text, std::string_view path) {
  constexpr const char* kCause = "this is no port path: BUS-PORT, then .PORT for each hub";
  constexpr std::size_t kDeepest = 7;  // tiers, USB 3.2 section 10
  const auto dash = path.find('-');
  const auto bus = number(path.substr(0, dash), 10, 3);
  if (dash == std::string_view::npos || !bus || *bus < 1 || *bus > 255) return wrong(text, kCause);
  std::string canonical = std::to_string(*bus) + "-";
  path.remove_prefix(dash + 1);
  for (std::size_t depth = 0; depth < kDeepest; ++depth) {
    const auto dot = path.find('.');
    const auto port = number(path.substr(0, dot), 10, 3);
    if (!port || *port < 1 || *port > 255) return wrong(text, kCause);
    canonical += (depth == 0 ? "" : ".") + std::to_string(*port);
    if (dot == std::string_view::npos) return Selector(PortPath{canonical});
    path.remove_prefix(dot + 1);
  }
  return wrong(text, kCause);
}

Result<Selector> parse_bus_device(const std::string& text, std::size_t dash) {
  const std::string_view all(text);
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
  constexpr std::string_view kPort = "port=";
  constexpr std::string_view kSerial = "serial=";
  if (text.starts_with(kPort)) return parse_port(text, std::string_view(text).substr(kPort.size()));
  if (text.starts_with(kSerial)) {
    if (text.size() == kSerial.size()) return wrong(text, "the serial number is empty");
    return Selector(SerialNumber{text.substr(kSerial.size())});
  }
  if (text.starts_with('/')) {
    return wrong(text, "device nodes are not taken", "Write BUS-DEVICE: /dev/bus/usb/001/003 is 1-3.");
  }
  if (const auto place = lsusb_place(text)) return Selector(*place);
  if (const auto colon = text.find(':'); colon != std::string::npos) return parse_vendor_product(text, colon);
  if (const auto dash = text.find('-'); dash != std::string::npos) {
    return text.find('.', dash) == std::string::npos ? parse_bus_device(text, dash) : parse_port(text, text);
  }
  return wrong(text, "it has neither a colon nor a dash");
}

std::string to_string(const Selector& selector) {
  if (const auto* place = std::get_if<BusDevice>(&selector)) {
    return std::to_string(place->bus) + "-" + std::to_string(place->device);
  }
  if (const auto* port = std::get_if<PortPath>(&selector)) return "port=" + port->path;
  if (const auto* serial = std::get_if<SerialNumber>(&selector)) return "serial=" + serial->serial;
  const auto& kind = std::get<VendorProduct>(selector);
  char text[10];
  std::snprintf(text, sizeof text, "%04x:%04x", kind.vendor, kind.product);
  return text;
}

}  // namespace usbloop::usbredir
