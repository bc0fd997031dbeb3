#include "device-sim/camera_spec.h"

#include <tuple>
#include <utility>

#include "device-sim/camera.h"
#include "device-sim/spec_options.h"

namespace usbloop::device_sim {

Result<std::unique_ptr<Device>> make_camera(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  CameraOptions options;
  const auto id = read_id(spec, default_id, {options.vendor_id, options.product_id});
  if (!id) return tl::unexpected(id.error());
  std::tie(options.vendor_id, options.product_id) = std::pair(id->vendor, id->product);
  if (const std::string* serial = option_of(spec, "serial")) {
    if (const auto sound = check_serial(spec, *serial); !sound) return tl::unexpected(sound.error());
    options.serial = *serial;
  }
  if (const std::string* text = option_of(spec, "transfers")) {
    if (*text != "bulk" && *text != "isochronous") {
      return refuse_option(spec, "transfers=" + *text + " is no kind of transfer", "It is bulk or isochronous.");
    }
    options.transfers = *text == "bulk" ? VideoTransfers::bulk : VideoTransfers::isochronous;
  }
  return std::make_unique<Camera>(options);
}

}  // namespace usbloop::device_sim
