#include <utility>

#include "client/desk_devices.h"
#include "client/device_finder.h"
#include "client/device_source.h"
#include "device-sim/desk/desk_host.h"

namespace usbloop::client {

namespace {

/// A device that stands on a desk: found, lost and found again as one of this machine.
class DeskDeviceSource final : public DeviceSource {
 public:
  DeskDeviceSource(std::string desk, Selector selector, DeviceClaims& claims, const DevicePolicy& policy)
      : desk_(std::move(desk)), sight_(desk_), finder_(std::move(selector), claims, policy) {}

  Result<> prepare() override {
    const auto devices = sight_.look();
    if (!devices) return tl::unexpected(devices.error());
    const auto index = finder_.find(*devices);
    if (!index) return tl::unexpected(devices->empty() ? nothing_there(index.error()) : index.error());
    const LocalDevice& device = (*devices)[*index];
    if (!device.holder.empty()) return held(device);
    info_ = device;
    finder_.remember(info_);
    return {};
  }

  Result<std::unique_ptr<usbredir::HostEnd>> take() override {
    auto client = desk::DeskClient::connect(desk_);
    if (!client) return tl::unexpected(client.error());
    return desk::take_from_desk(std::move(*client), info_.desk_name, "kubectl-usbredir");
  }

  [[nodiscard]] DeviceFacts facts() const override { return facts_of(info_, finder_.name()); }
  [[nodiscard]] Result<> may_be_translated() const override { return check_translatable(info_); }
  [[nodiscard]] std::string label() const override { return finder_.label(); }
  [[nodiscard]] bool can_come_back() const override { return true; }

  void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) override {
    sight_.wait(time, stop);
  }

 private:
  static Error nothing_there(Error error) {
    if (error.kind == ErrorKind::not_found) error.hint = "Nothing is plugged in there: device-sim ctl list shows all.";
    return error;
  }

  // No conflict: that is several devices, of which a person chooses.
  Result<> held(const LocalDevice& device) {
    return make_error(ErrorKind::unavailable, "redirect USB device", device.line(), device.holder + " has it",
                      "End that redirection first.");
  }

  const std::string desk_;
  DeskSight sight_;
  DeviceFinder finder_;
  LocalDevice info_;
};

}  // namespace

std::unique_ptr<DeviceSource> make_desk_source(const std::string& desk, const Selector& selector, DeviceClaims& claims,
                                               const DevicePolicy& policy) {
  return std::make_unique<DeskDeviceSource>(desk, selector, claims, policy);
}

}  // namespace usbloop::client
