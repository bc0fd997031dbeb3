#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "device-sim/emulation/alarm.h"
#include "device-sim/emulation/descriptor_set.h"
#include "device-sim/emulation/fault.h"
#include "device-sim/emulation/medium.h"
#include "usbredir/host_end.h"
#include "usbredir/transfer_reply.h"

namespace usbloop::device_sim {

/// The eight bytes that begin a control transfer (USB 2.0, 9.3).
struct SetupPacket {
  std::uint8_t request_type = 0;
  std::uint8_t request = 0;
  std::uint16_t value = 0;
  std::uint16_t index = 0;
  std::uint16_t length = 0;

  [[nodiscard]] bool is_in() const { return (request_type & 0x80) != 0; }
};

using usbredir::InReply;
using usbredir::OutReply;
using usbredir::TransferStatus;

struct ControlReply {
  TransferStatus status = TransferStatus::stall;
  std::vector<std::byte> data = {};  ///< of an IN request; what is longer than asked for is cut
  bool done = true;                  ///< false: not yet; the request is offered again

  static ControlReply not_yet() { return {TransferStatus::success, {}, false}; }
};

/// Where a bulk transfer goes: an endpoint's address, and the bulk stream; 0 where the endpoint has none.
struct Pipe {
  std::uint8_t endpoint = 0;
  std::uint32_t stream = 0;
};

/// An emulated USB device as its functions see it: what is behind the endpoints. EmulatedHost does the rest: standard
/// requests, halts, queues of waiting IN requests, and usbredir itself. All functions belong to the thread of the
/// EmulatedHost. A new kind of device is a class like this and a line in the table of kinds.cpp.
class Device {
 public:
  virtual ~Device() = default;

  [[nodiscard]] virtual const usbredir::DeviceDescription& description() const = 0;
  [[nodiscard]] virtual const DescriptorSet& descriptors() const = 0;

  /// Bus reset or a new configuration: back to the state after power-on. Comes several times at every attach.
  virtual void reset() = 0;

  /// A class or vendor request; `data` is that of an OUT request.
  virtual ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) = 0;

  /// The guest has chosen an alternate setting that the configuration has; reset() goes back to 0.
  virtual void select(std::uint8_t /*interface*/, std::uint8_t /*alternate*/) {}

  /// The guest has given an endpoint `count` bulk streams, no more than its descriptor has; 0: it has taken them back,
  /// as reset() and select() do too.
  virtual void set_streams(std::uint8_t /*endpoint*/, std::uint32_t /*count*/) {}

  /// Data that arrived on an OUT endpoint. Anything but success halts the endpoint (stall) or fails the transfer. What
  /// is "not yet" taken is offered again after whatever else happens to the device.
  virtual OutReply out(Pipe pipe, std::span<const std::byte> data) = 0;

  /// A request for data on an IN endpoint, at most `room.size()` bytes. An interrupt endpoint is asked for as long as
  /// the guest receives: it says "not yet" when it has nothing new, or sends again before its interval is over.
  virtual InReply in(Pipe pipe, std::span<std::byte> room) = 0;

  /// What an isochronous IN endpoint says in one service interval, at most `room.size()` bytes, which are those of the
  /// endpoint's packet. The EmulatedHost keeps the intervals.
  virtual std::size_t isochronous(std::uint8_t /*endpoint*/, std::span<std::byte> /*room*/) { return 0; }

  /// A packet that the guest sent to an isochronous OUT endpoint, no longer than the endpoint's packet. Nobody is told
  /// what comes of it.
  virtual void isochronous_out(std::uint8_t /*endpoint*/, std::span<const std::byte> /*data*/) {}

  /// The time now, told before anything else that happens to the device.
  virtual void advance(Time /*now*/) {}

  /// When waiting transfers are to be offered again, and interrupt endpoints asked, though nothing happens: a time
  /// behind that of advance(). Asked after all that happens, while there is anybody to hear it.
  [[nodiscard]] virtual std::optional<Time> due() const { return std::nullopt; }

  /// For a device that has something to say when something outside has happened: `wake` may be called from any thread,
  /// and has waiting transfers offered again and interrupt endpoints asked. Null: nobody is there to hear it, and the
  /// one before is not called any more when this returns.
  virtual void set_wake(std::function<void()> /*wake*/) {}

  /// The guest has given up the transfer that was first in its pipe's queue, and may have been offered.
  virtual void cancelled(Pipe /*pipe*/) {}

  /// The guest clears a halt. False: the condition lasts and the endpoint stays halted.
  virtual bool clear_halt(std::uint8_t endpoint) = 0;

  /// Whether a guest may have the data of bulk IN endpoints sent by themselves (usb.md section 3): for chips that QEMU
  /// knows by their ids, and does so with.
  [[nodiscard]] virtual bool buffers_bulk_in() const { return false; }

  /// The medium that a person can take out, owned by the device; null where there is none.
  [[nodiscard]] virtual Medium* medium() { return nullptr; }
  /// A person does something to the device: `type` a text on a keyboard or `press` a key of it, let a mouse `do` a
  /// script, `eject` a medium or `load` it. Errors: invalid (it has no such thing, or `what` makes no sense), conflict
  /// (too much waits already, or the guest has locked the medium).
  virtual Result<> act(std::string_view verb, std::string_view what);

  /// Brings all that the guest has written onto the backing store.
  virtual Result<> flush() = 0;

  /// Any control transfer, before it is looked at: what is answered in the place of what is right, or nothing.
  virtual std::optional<ControlReply> meddle(const SetupPacket& /*setup*/) { return std::nullopt; }

  /// The device has been pulled out. Asked after all that happens.
  [[nodiscard]] virtual bool gone() const { return false; }
  /// A person has plugged it in again.
  virtual void plug() {}
  /// Why, when it was not pulled out.
  [[nodiscard]] virtual std::optional<Error> trouble() const { return std::nullopt; }

  /// From now on it does this wrong, besides what it does wrong already. An Error (kind invalid) says why a fault makes
  /// no sense for it. FaultyDevice can all, but for those of storage, which it hands on; make_device() makes none
  /// without.
  virtual Result<> set_fault(const Fault& fault);
  /// It does everything right from now on.
  virtual void clear_faults() {}
};

}  // namespace usbloop::device_sim
