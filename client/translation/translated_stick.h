#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "client/translation/block_limits.h"
#include "client/translation/bulk_only_initiator.h"
#include "client/translation/stick_link.h"
#include "device-sim/emulation/device.h"
#include "uas/target.h"

namespace usbloop::client {

/// A Bulk-Only stick of this machine, as the guest sees it when the way to it is long: alternate setting 1 is a UAS
/// disk, whose commands go to the stick by Bulk-Only here. Alternate setting 0 is Bulk-Only, for a guest without a
/// driver for UAS: its transfers go to the stick one by one. Super speed, so that there are streams.
class TranslatedStick final : public device_sim::Device {
 public:
  /// `link` is ready, and must outlive this object. `as_uas`: false leaves alternate setting 0 alone, at the stick's
  /// own speed, for a guest or a stick that cannot have more.
  TranslatedStick(StickLink& link, usbredir::DeviceDescription description, bool as_uas);

  /// Where to learn what of the guest's transfers waits. To be set before the first transfer.
  void set_waiting(std::function<std::uint64_t(device_sim::Pipe)> waiting) { waiting_ = std::move(waiting); }
  /// The stick has said something.
  void go_on() { attached_.advance(); }

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const device_sim::DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override { select(0, 0); }
  device_sim::ControlReply request(const device_sim::SetupPacket& setup, std::span<const std::byte> data) override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  void set_streams(std::uint8_t endpoint, std::uint32_t count) override;
  device_sim::OutReply out(device_sim::Pipe pipe, std::span<const std::byte> data) override;
  device_sim::InReply in(device_sim::Pipe pipe, std::span<std::byte> room) override;
  void cancelled(device_sim::Pipe pipe) override;
  bool clear_halt(std::uint8_t endpoint) override;
  /// Nothing is held here that the stick has not acknowledged.
  Result<> flush() override { return {}; }

 private:
  /// A transfer of alternate setting 0 on its way to the stick, or its end.
  struct Passing {
    std::uint64_t id = 0;    ///< 0: none
    std::uint64_t turn = 0;  ///< counts them: the end of one that was dropped is ignored
    std::optional<TransferEnd> end;
  };

  [[nodiscard]] uas::Movement offered(std::uint16_t tag) const;
  static StickLink::Done keep(Passing& passing);
  static std::optional<TransferEnd> take(Passing& passing);
  void drop(Passing& passing);
  StickLink::Done settle();
  [[nodiscard]] bool is_busy() const { return controls_ > 0 || initiator_.recovering(); }

  StickLink& link_;
  const usbredir::DeviceDescription description_;
  const device_sim::DescriptorSet descriptors_;
  std::function<std::uint64_t(device_sim::Pipe)> waiting_;
  BulkOnlyInitiator initiator_;
  BlockLimits far_disk_;
  uas::Target attached_;
  bool is_attached_ = false;  ///< alternate setting 1
  bool passed_ = false;       ///< something has gone to the stick by alternate setting 0 since it was last recovered
  int controls_ = 0;          ///< requests to the stick on their way: transfers wait for them
  Passing in_, out_;
};

}  // namespace usbloop::client
