#include "device-sim/storage_spec.h"

#include <tuple>
#include <utility>
#include <vector>

#include "device-sim/spec_options.h"
#include "device-sim/ssd.h"
#include "device-sim/stick.h"

namespace usbloop::device_sim {
namespace {

using usbredir::Speed;

Result<Speed> parse_speed(const DeviceSpec& spec, const std::string& text, bool has_full) {
  std::vector<Speed> speeds = {Speed::high, Speed::super};
  if (has_full) speeds.push_back(Speed::full);
  for (const Speed speed : speeds) {
    if (text == to_string(speed)) return speed;
  }
  return refuse_option(
      spec, "speed=" + text + " is not a speed" + (has_full ? "" : " of this device"),
      has_full ? "It is full (12 Mbit/s), high (480) or super (5000)." : "It is high (480 Mbit/s) or super (5000).");
}

/// Reads what sticks and SSDs have in common, over the defaults in `options`, and opens the image.
Result<std::unique_ptr<BlockStore>> read_options(const DeviceSpec& spec, std::optional<UsbId> default_id, bool has_full,
                                                 StorageOptions& options) {
  const std::string* image = option_of(spec, "image");
  if (image == nullptr || image->empty()) {
    return refuse_option(spec, "image= is missing",
                         "For example: " + spec.kind + ",image=disk.img, after truncate -s 64M disk.img");
  }
  const std::string* read_only = option_of(spec, "ro");
  if (read_only != nullptr && !read_only->empty()) return refuse_option(spec, "ro takes no value");
  const auto id = read_id(spec, default_id, {options.vendor_id, options.product_id});
  if (!id) return tl::unexpected(id.error());
  std::tie(options.vendor_id, options.product_id) = std::pair(id->vendor, id->product);
  if (const std::string* text = option_of(spec, "speed")) {
    const auto speed = parse_speed(spec, *text, has_full);
    if (!speed) return tl::unexpected(speed.error());
    options.speed = *speed;
  }
  const std::string* serial = option_of(spec, "serial");
  if (serial != nullptr) {
    if (const auto sound = check_serial(spec, *serial); !sound) return tl::unexpected(sound.error());
  }
  options.serial = serial != nullptr && !serial->empty() ? *serial : serial_for(*image);
  auto store = ImageFile::open(*image, read_only != nullptr);
  if (!store) return tl::unexpected(store.error());
  return std::unique_ptr<BlockStore>(std::move(*store));
}

}  // namespace

Result<std::unique_ptr<Device>> make_stick(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  StorageOptions options = Stick::defaults();
  auto store = read_options(spec, default_id, true, options);
  if (!store) return tl::unexpected(store.error());
  return std::make_unique<Stick>(std::move(*store), options);
}

Result<std::unique_ptr<Device>> make_ssd(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  StorageOptions options = Ssd::defaults();
  auto store = read_options(spec, default_id, false, options);
  if (!store) return tl::unexpected(store.error());
  return std::make_unique<Ssd>(std::move(*store), options);
}

}  // namespace usbloop::device_sim
