#include "client/device_source.h"

#include <optional>
#include <utility>

#include "client/device_finder.h"
#include "client/devices/arrival_watch.h"
#include "client/devices/libusb_host.h"
#include "client/devices/usb_device.h"
#include "common/stop_wait.h"
#include "device-sim/kinds.h"

namespace usbloop::client {

namespace {

using HostPtr = std::unique_ptr<usbredir::HostEnd>;

class LocalSource final : public DeviceSource {
 public:
  LocalSource(Selector selector, DeviceClaims& claims, const DevicePolicy& policy)
      : finder_(std::move(selector), claims, policy) {}

  Result<> prepare() override {
    auto devices = UsbDevices::list();
    if (!devices) {
      const Error& error = devices.error();
      return make_error(error.kind, "find USB device", finder_.name(), error.cause, error.hint);
    }
    const auto index = finder_.find(devices->all());
    if (!index) return tl::unexpected(index.error());
    auto handle = devices->open(*index);
    if (!handle) return tl::unexpected(handle.error());
    info_ = devices->all()[*index];
    handle_ = std::move(*handle);
    context_ = devices->take_context();
    finder_.remember(info_);
    return {};
  }

  Result<HostPtr> take() override { return make_libusb_host(std::move(context_), std::move(handle_), info_); }

  [[nodiscard]] DeviceFacts facts() const override { return facts_of(info_, finder_.name()); }
  [[nodiscard]] Result<> may_be_translated() const override { return check_translatable(info_); }
  [[nodiscard]] std::string label() const override { return finder_.label(); }
  [[nodiscard]] bool can_come_back() const override { return true; }

  void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) override {
    if (!arrivals_) arrivals_.emplace();
    arrivals_->wait(time, stop);
  }

 private:
  DeviceFinder finder_;
  LocalDevice info_;
  UsbContextPtr context_;  // outlives the handle
  UsbHandlePtr handle_;
  std::optional<ArrivalWatch> arrivals_;
};

class EmulatedSource final : public DeviceSource {
 public:
  explicit EmulatedSource(std::string spec) : spec_(std::move(spec)) {}

  /// Opens the files behind the device, so that a missing one is told before the server is asked.
  Result<> prepare() override {
    if (host_) return {};
    auto host = device_sim::make_host_end(spec_);
    if (!host) return tl::unexpected(host.error());
    host_ = std::move(*host);
    description_ = host_->device();
    return {};
  }

  Result<HostPtr> take() override { return std::move(host_); }

  [[nodiscard]] DeviceFacts facts() const override {
    DeviceFacts facts;
    facts.name = spec_;
    facts.emulated = true;
    facts.id = description_.id();
    facts.product = description_.product;
    facts.serial = description_.serial;
    return facts;
  }
  [[nodiscard]] Result<> may_be_translated() const override {
    const auto spec = device_sim::parse_spec(spec_);
    return spec && spec->kind == "stick" ? Result<>() : not_translatable(spec_);
  }

  [[nodiscard]] std::string label() const override { return spec_; }
  [[nodiscard]] bool can_come_back() const override { return false; }
  void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) override {
    static_cast<void>(wait_unless_stopped(stop, time));
  }

 private:
  const std::string spec_;
  HostPtr host_;
  usbredir::DeviceDescription description_;
};

}  // namespace

std::unique_ptr<DeviceSource> make_device_source(const Selector& selector, DeviceClaims& claims,
                                                 const DevicePolicy& policy) {
  return std::make_unique<LocalSource>(selector, claims, policy);
}

std::unique_ptr<DeviceSource> make_emulated_source(const std::string& spec) {
  return std::make_unique<EmulatedSource>(spec);
}

}  // namespace usbloop::client
