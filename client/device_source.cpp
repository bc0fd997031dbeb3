#include "client/device_source.h"

#include <optional>
#include <utility>

#include "client/arrival_watch.h"
#include "client/device_identity.h"
#include "client/libusb_host.h"
#include "client/usb_device.h"
#include "common/stop_wait.h"
#include "device-sim/spec.h"

namespace usbloop::client {

namespace {

using HostPtr = std::unique_ptr<usbredir::HostEnd>;

Result<> not_translatable(const std::string& device) {
  return make_error(ErrorKind::invalid, "use --transport uas for", device,
                    "it is not a stick with Bulk-Only Transport alone",
                    "Leave --transport out: the device is redirected as it is.");
}

class LocalSource final : public DeviceSource {
 public:
  explicit LocalSource(Selector selector) : selector_(std::move(selector)) {}

  Result<> prepare() override {
    auto devices = UsbDevices::list();
    if (!devices) {
      const Error& error = devices.error();
      return make_error(error.kind, "find USB device", to_string(selector_), error.cause, error.hint);
    }
    const auto index = identity_ ? find_again(devices->all(), *identity_) : choose_device(devices->all(), selector_);
    if (!index) return tl::unexpected(index.error());
    auto handle = devices->open(*index);
    if (!handle) return tl::unexpected(handle.error());
    info_ = devices->all()[*index];
    handle_ = std::move(*handle);
    context_ = devices->take_context();
    if (!identity_) identity_ = identity_of(info_, std::holds_alternative<PortPath>(selector_));
    return {};
  }

  Result<HostPtr> take() override { return make_libusb_host(std::move(context_), std::move(handle_), info_); }

  [[nodiscard]] Result<> may_be_translated() const override {
    constexpr std::uint8_t kMassStorage = 0x08, kScsiTransparent = 0x06, kBulkOnly = 0x50;
    const auto& classes = info_.classes;
    const bool is_stick = classes.size() == 1 && classes[0].number == kMassStorage &&
                          classes[0].subclass == kScsiTransparent && classes[0].protocol == kBulkOnly;
    return is_stick ? Result<>() : not_translatable(info_.line());
  }

  [[nodiscard]] std::string label() const override { return identity_ ? identity_->label() : to_string(selector_); }
  [[nodiscard]] bool can_come_back() const override { return true; }

  void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) override {
    if (!arrivals_) arrivals_.emplace();
    arrivals_->wait(time, stop);
  }

 private:
  const Selector selector_;
  std::optional<DeviceIdentity> identity_;  ///< of the device that was found first
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
    return {};
  }

  Result<HostPtr> take() override { return std::move(host_); }

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
};

}  // namespace

std::unique_ptr<DeviceSource> make_device_source(const Options& options) {
  if (options.emulate.empty()) return std::make_unique<LocalSource>(*options.selector);
  return std::make_unique<EmulatedSource>(options.emulate);
}

}  // namespace usbloop::client
