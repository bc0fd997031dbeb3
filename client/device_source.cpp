#include "client/device_source.h"

#include <optional>
#include <utility>

#include "client/devices/arrival_watch.h"
#include "client/devices/device_identity.h"
#include "client/devices/libusb_host.h"
#include "client/devices/usb_device.h"
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
  LocalSource(Selector selector, DeviceClaims& claims, const DevicePolicy& policy)
      : selector_(std::move(selector)), claims_(claims), policy_(policy) {}
  ~LocalSource() override { claims_.forget(this); }

  Result<> prepare() override {
    auto devices = UsbDevices::list();
    if (!devices) {
      const Error& error = devices.error();
      return make_error(error.kind, "find USB device", to_string(selector_), error.cause, error.hint);
    }
    const auto index = identity_ ? find_again(devices->all()) : choose_device(devices->all(), selector_);
    if (!index) return tl::unexpected(index.error());
    if (auto fine = policy_.check(devices->all()[*index]); !fine) return fine;
    if (auto fine = claim(devices->all()[*index]); !fine) return fine;
    auto handle = devices->open(*index);
    if (!handle) return tl::unexpected(handle.error());
    info_ = devices->all()[*index];
    handle_ = std::move(*handle);
    context_ = devices->take_context();
    if (!identity_) identity_ = identity_of(info_, std::holds_alternative<PortPath>(selector_));
    return {};
  }

  Result<HostPtr> take() override { return make_libusb_host(std::move(context_), std::move(handle_), info_); }

  [[nodiscard]] DeviceFacts facts() const override {
    return {to_string(selector_), info_.id(),      info_.product_name,  info_.serial,
            info_.port_path(),    info_.place.bus, info_.place.address, false};
  }
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
  /// Among those that are no other redirection's.
  Result<std::size_t> find_again(const std::vector<LocalDevice>& all) const {
    std::vector<LocalDevice> free;
    std::vector<std::size_t> places;
    for (std::size_t index = 0; index < all.size(); ++index) {
      if (claims_.is_of_another(this, all[index])) continue;
      free.push_back(all[index]);
      places.push_back(index);
    }
    const auto found = client::find_again(free, *identity_);
    if (!found) return found;
    return places[*found];
  }

  Result<> claim(const LocalDevice& device) {
    const auto other = claims_.claim(this, to_string(selector_), device);
    if (!other) return {};
    if (identity_) return make_error(ErrorKind::not_found, "find USB device", identity_->label(), "it is unplugged");
    return make_error(ErrorKind::invalid, "redirect USB device", to_string(selector_),
                      "it is the same device as " + *other, "Name each device once: " + device.line());
  }

  const Selector selector_;
  DeviceClaims& claims_;
  const DevicePolicy& policy_;
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
