#include "client/devices/unplug_watch.h"

#include <libusb.h>

#include <utility>

namespace usbloop::client {

struct UnplugWatch::Watched {
  UsbDevicePtr device;  // held, so that no other device gets its address
  std::function<void()> gone;
  libusb_hotplug_callback_handle registration = 0;

  static int LIBUSB_CALL on_left(libusb_context*, libusb_device* device, libusb_hotplug_event, void* self) {
    const auto& watched = *static_cast<Watched*>(self);
    if (device != watched.device.get()) return 0;
    watched.gone();
    return 1;  // which ends the registration
  }
};

UnplugWatch::UnplugWatch(libusb_context* context, std::unique_ptr<Watched> watched)
    : context_(context), watched_(std::move(watched)) {}

UnplugWatch::~UnplugWatch() { libusb_hotplug_deregister_callback(context_, watched_->registration); }

Result<std::unique_ptr<UnplugWatch>> UnplugWatch::start(libusb_context* context, libusb_device_handle* handle,
                                                        std::function<void()> gone) {
  if (libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) == 0) {
    return make_error(ErrorKind::unavailable, "watch for", "an unplug", "this machine's libusb does not tell of one");
  }
  auto watched = std::make_unique<Watched>();
  watched->device.reset(libusb_ref_device(libusb_get_device(handle)));
  watched->gone = std::move(gone);
  const int code = libusb_hotplug_register_callback(
      context, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT, 0, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
      LIBUSB_HOTPLUG_MATCH_ANY, &Watched::on_left, watched.get(), &watched->registration);
  if (code != 0) return make_error(ErrorKind::internal, "watch for", "an unplug", libusb_strerror(code));
  return std::unique_ptr<UnplugWatch>(new UnplugWatch(context, std::move(watched)));
}

}  // namespace usbloop::client
