#include "device-sim/stick_spec.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "device-sim/stick.h"

namespace usbloop::device_sim {
namespace {

auto refuse_stick(std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kEmulateOperation, "stick", std::move(cause), std::move(hint));
}

Result<usbredir::Speed> parse_speed(const std::string& text) {
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high, usbredir::Speed::super}) {
    if (text == to_string(speed)) return speed;
  }
  return refuse_stick("speed=" + text + " is not a speed", "It is full (12 Mbit/s), high (480) or super (5000).");
}

Result<> check_serial(const std::string& serial) {
  // 126 is what a string descriptor holds; Windows wants printable ASCII without commas.
  const bool plain = std::all_of(serial.begin(), serial.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
  if (serial.size() > 126 || !plain)
    return refuse_stick("serial= takes up to 126 printable ASCII characters without spaces");
  return {};
}

}  // namespace

Result<std::unique_ptr<Device>> make_stick(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  const auto option = [&](const char* name) -> const std::string* {
    const auto found = spec.options.find(name);
    return found == spec.options.end() ? nullptr : &found->second;
  };
  const std::string* image = option("image");
  if (image == nullptr || image->empty()) {
    return refuse_stick("image= is missing", "For example: stick,image=disk.img, after truncate -s 64M disk.img");
  }
  const std::string* read_only = option("ro");
  if (read_only != nullptr && !read_only->empty()) return refuse_stick("ro takes no value");

  StickOptions options;
  if (default_id) std::tie(options.vendor_id, options.product_id) = std::pair(default_id->vendor, default_id->product);
  if (const std::string* text = option("id")) {
    const auto id = parse_usb_id(*text);
    if (!id)
      return refuse_stick("id=" + *text + " is not VENDOR:PRODUCT", "Four hexadecimal digits each: id=0951:1666");
    std::tie(options.vendor_id, options.product_id) = std::pair(id->vendor, id->product);
  }
  if (const std::string* text = option("speed")) {
    const auto speed = parse_speed(*text);
    if (!speed) return tl::unexpected(speed.error());
    options.speed = *speed;
  }
  const std::string* serial = option("serial");
  if (serial != nullptr) {
    if (const auto sound = check_serial(*serial); !sound) return tl::unexpected(sound.error());
  }
  options.serial = serial != nullptr && !serial->empty() ? *serial : serial_for(*image);

  auto store = ImageFile::open(*image, read_only != nullptr);
  if (!store) return tl::unexpected(store.error());
  return std::make_unique<Stick>(std::move(*store), options);
}

}  // namespace usbloop::device_sim
