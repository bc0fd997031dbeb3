#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "client/translation/stick_link.h"
#include "client/translation/translated_stick.h"
#include "device-sim/emulation/emulated_host.h"
#include "usbredir/host_end.h"

namespace usbloop::client {

/// A host end around that of a Bulk-Only stick, which shows the guest a UAS disk (translated_stick.h). Towards the
/// stick it is the guest's side. The guest is told of the device when its hello has come and the stick is ready; a
/// guest that has no bulk streams, and a stick with several logical units, get Bulk-Only at the stick's own speed.
class TranslatedHost final : public usbredir::HostEnd {
 public:
  /// `stick` has not been used yet.
  explicit TranslatedHost(std::unique_ptr<usbredir::HostEnd> stick);

  [[nodiscard]] const usbredir::DeviceDescription& device() const override;
  void set_wake(std::function<void()> wake) override { stick_->set_wake(std::move(wake)); }
  void look() override;
  [[nodiscard]] bool wants_input() const override;
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override;
  [[nodiscard]] std::span<const std::byte> pending() const override;
  void consume(std::size_t count) override;
  [[nodiscard]] usbredir::HostState state() const override;
  [[nodiscard]] Result<> outcome() const override;
  void disconnect() override;

 private:
  void carry();
  void begin();
  [[nodiscard]] bool hello_is_whole() const;
  [[nodiscard]] bool guest_has_streams() const;

  std::unique_ptr<usbredir::HostEnd> stick_;
  StickLink link_;
  std::vector<std::byte> hello_;       ///< of the guest, until the stick is ready
  TranslatedStick* device_ = nullptr;  ///< owned by guest_
  std::unique_ptr<device_sim::EmulatedHost> guest_;
  bool disconnected_ = false;
};

}  // namespace usbloop::client
