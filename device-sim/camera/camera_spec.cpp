#include "device-sim/camera/camera_spec.h"

#include <utility>

#include "device-sim/camera/camera.h"
#include "device-sim/emulation/spec_options.h"

namespace usbloop::device_sim {

Result<std::unique_ptr<Device>> make_camera(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  CameraOptions options;
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read)
    return tl::unexpected(read.error());
  if (auto read = read_serial_number(spec, options.serial); !read) return tl::unexpected(read.error());
  if (const std::string* text = option_of(spec, "transfers")) {
    if (*text != "bulk" && *text != "isochronous") {
      return refuse_option(spec, "transfers=" + *text + " is no kind of transfer", "It is bulk or isochronous.");
    }
    options.transfers = *text == "bulk" ? VideoTransfers::bulk : VideoTransfers::isochronous;
  }
  if (const std::string* path = option_of(spec, "frames")) {
    auto files = PictureFiles::load(*path);
    if (!files) return tl::unexpected(files.error());
    options.files = std::move(*files);
  }
  return std::make_unique<Camera>(options);
}

}  // namespace usbloop::device_sim
