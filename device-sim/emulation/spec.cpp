#include "device-sim/emulation/spec.h"

#include <charconv>
#include <utility>
#include <vector>

namespace usbloop::device_sim {
namespace {

tl::unexpected<Error> refuse_text(std::string_view text, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kEmulateOperation, "'" + std::string(text) + "'", std::move(cause),
                    std::move(hint));
}

/// Splits at single commas; a doubled one stands for itself.
std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      parts.back().push_back(text[i]);
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      parts.back().push_back(text[i++]);
    } else {
      parts.emplace_back();
    }
  }
  return parts;
}

}  // namespace

std::optional<UsbId> parse_usb_id(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::uint16_t> {
    std::uint16_t value = 0;
    if (digits.empty() || digits.size() > 4) return std::nullopt;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto vendor = number(text.substr(0, colon));
  const auto product = number(text.substr(colon + 1));
  if (!vendor || !product) return std::nullopt;
  return UsbId{*vendor, *product};
}

Result<DeviceSpec> parse_spec(std::string_view text) {
  auto parts = split_options(text);
  DeviceSpec spec;
  spec.kind = parts.front();
  if (spec.kind.empty()) return refuse_text(text, "no kind of device is given", "For example: stick,image=disk.img");
  for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
    const auto equals = part->find('=');
    std::string name = part->substr(0, equals);
    std::string value = equals == std::string::npos ? "" : part->substr(equals + 1);
    if (name.empty()) return refuse_text(text, "an option is empty", "Write a comma inside a value twice.");
    if (equals != std::string::npos && value.empty()) return refuse_text(text, "the option " + name + "= has no value");
    if (!spec.options.emplace(name, std::move(value)).second)
      return refuse_text(text, "the option " + name + " is given twice");
  }
  return spec;
}

}  // namespace usbloop::device_sim
