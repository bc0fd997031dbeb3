#include "client/devices/arrival_watch.h"

#include <libusb.h>

#include "client/devices/usb_device.h"
#include "common/stop_wait.h"

namespace usbloop::client {

class ArrivalWatch::Impl {
 public:
  /// Null when libusb cannot be had or tells of no arrival.
  static std::unique_ptr<Impl> start() {
    libusb_context* raw = nullptr;
    if (libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG) == 0 || libusb_init(&raw) != 0) return nullptr;
    auto impl = std::make_unique<Impl>(UsbContextPtr(raw));
    const int code = libusb_hotplug_register_callback(raw, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED, 0,
                                                      LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
                                                      LIBUSB_HOTPLUG_MATCH_ANY, &Impl::on_arrived, impl.get(), nullptr);
    return code == 0 ? std::move(impl) : nullptr;
  }

  explicit Impl(UsbContextPtr context) : context_(std::move(context)) {}

  void wait(std::chrono::milliseconds time, const std::stop_token& stop) {
    const auto end = std::chrono::steady_clock::now() + time;
    const std::stop_callback wake(stop, [this] { libusb_interrupt_event_handler(context_.get()); });
    while (!arrived_ && !stop.stop_requested()) {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      timeval limit{left.count() / 1'000'000, left.count() % 1'000'000};
      const int code = libusb_handle_events_timeout_completed(context_.get(), &limit, nullptr);
      if (code != 0 && code != LIBUSB_ERROR_INTERRUPTED) {
        static_cast<void>(wait_unless_stopped(stop, std::chrono::ceil<std::chrono::milliseconds>(left)));
        break;
      }
    }
    arrived_ = false;
  }

 private:
  static int LIBUSB_CALL on_arrived(libusb_context*, libusb_device*, libusb_hotplug_event, void* self) {
    static_cast<Impl*>(self)->arrived_ = true;
    return 0;
  }

  UsbContextPtr context_;
  bool arrived_ = false;
};

ArrivalWatch::ArrivalWatch() : impl_(Impl::start()) {}
ArrivalWatch::~ArrivalWatch() = default;

void ArrivalWatch::wait(std::chrono::milliseconds time, const std::stop_token& stop) {
  if (impl_) {
    impl_->wait(time, stop);
  } else {
    static_cast<void>(wait_unless_stopped(stop, time));
  }
}

}  // namespace usbloop::client
