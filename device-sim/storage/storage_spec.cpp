#include "device-sim/storage/storage_spec.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/storage/directory_store.h"
#include "device-sim/storage/image_format.h"
#include "device-sim/storage/overlay_store.h"
#include "device-sim/storage/ssd.h"
#include "device-sim/storage/stick.h"

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

/// A switch such as `ro`: given, not given, or refused with a value.
Result<bool> read_switch(const DeviceSpec& spec, const char* name) {
  const std::string* value = option_of(spec, name);
  if (value != nullptr && !value->empty()) return refuse_option(spec, std::string(name) + " takes no value");
  return value != nullptr;
}

Result<std::unique_ptr<BlockStore>> overlay(std::unique_ptr<BlockStore> base) {
  const char* const chosen = std::getenv("TMPDIR");
  auto top = ImageFile::temporary(chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp", base->size());
  if (!top) {
    top.error().hint = "TMPDIR=DIRECTORY in the environment chooses where the overlay is kept.";
    return tl::unexpected(top.error());
  }
  return std::make_unique<OverlayStore>(std::move(base), std::move(*top));
}

/// image= or dir=, which exclude each other; null after neither.
const std::string* source_of(const DeviceSpec& spec) {
  const std::string* image = option_of(spec, "image");
  return image != nullptr ? image : option_of(spec, "dir");
}

Result<std::unique_ptr<BlockStore>> open_source(const DeviceSpec& spec, bool read_only) {
  const std::string* image = option_of(spec, "image");
  const std::string* directory = option_of(spec, "dir");
  if (image != nullptr && directory != nullptr) return refuse_option(spec, "image= and dir= exclude each other");
  const std::string* format = option_of(spec, "format");
  if (format != nullptr && (*format != "raw" || image == nullptr)) {
    return refuse_option(spec, "format=" + *format + " is no format of an image here",
                         "It is raw, with image=: the file's bytes are the disk's, whatever they look like.");
  }
  const std::string* source = source_of(spec);
  if (source == nullptr || source->empty()) {
    return refuse_option(
        spec, "image= is missing",
        "For example: " + spec.kind + ",image=disk.img, after truncate -s 64M disk.img. Or dir=DIRECTORY.");
  }
  if (image != nullptr) {
    auto store = ImageFile::open(*image, read_only);
    if (!store) return tl::unexpected(store.error());
    if (option_of(spec, "format") == nullptr) {
      if (auto raw = expect_raw(**store, *image); !raw) return tl::unexpected(raw.error());
    }
    return std::unique_ptr<BlockStore>(std::move(*store));
  }
  auto volume = fat::Volume::make(*directory);
  if (!volume) return tl::unexpected(volume.error());
  return std::make_unique<DirectoryStore>(std::move(*volume));
}

Result<std::unique_ptr<BlockStore>> open_store(const DeviceSpec& spec) {
  const auto read_only = read_switch(spec, "ro");
  if (!read_only) return tl::unexpected(read_only.error());
  const auto has_overlay = read_switch(spec, "overlay");
  if (!has_overlay) return tl::unexpected(has_overlay.error());
  if (*read_only && *has_overlay) {
    return refuse_option(spec, "ro and overlay exclude each other",
                         "ro refuses what the guest writes; overlay takes it and throws it away at the end.");
  }
  auto store = open_source(spec, *read_only || *has_overlay);
  return store && *has_overlay ? overlay(std::move(*store)) : std::move(store);
}

/// Reads what sticks and SSDs have in common, over the defaults in `options`, and opens the image.
Result<std::unique_ptr<BlockStore>> read_options(const DeviceSpec& spec, std::optional<UsbId> default_id, bool has_full,
                                                 StorageOptions& options) {
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read)
    return tl::unexpected(read.error());
  if (const std::string* text = option_of(spec, "speed")) {
    const auto speed = parse_speed(spec, *text, has_full);
    if (!speed) return tl::unexpected(speed.error());
    options.speed = *speed;
  }
  const std::string* serial = option_of(spec, "serial");
  if (serial != nullptr) {
    if (const auto sound = check_serial(spec, *serial); !sound) return tl::unexpected(sound.error());
  }
  auto store = open_store(spec);
  if (!store) return tl::unexpected(store.error());
  options.serial = serial != nullptr && !serial->empty() ? *serial : serial_for(*source_of(spec));
  return store;
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
