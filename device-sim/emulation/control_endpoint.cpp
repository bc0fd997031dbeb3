#include "device-sim/emulation/control_endpoint.h"

#include <utility>

namespace usbloop::device_sim {
namespace {

// bRequest (USB 2.0, table 9-4; USB 3.2, table 9-5).
constexpr std::uint8_t kGetStatusRequest = 0, kClearFeature = 1, kSetFeature = 3, kGetDescriptor = 6, kSetSel = 48,
                       kSetIsochDelay = 49;
constexpr std::uint16_t kEndpointHalt = 0;
constexpr std::uint8_t kRecipientDevice = 0, kRecipientInterface = 1, kRecipientEndpoint = 2;

std::uint8_t recipient(const SetupPacket& setup) { return setup.request_type & 0x1f; }

ControlReply ok(std::vector<std::byte> data = {}) { return {TransferStatus::success, std::move(data)}; }
ControlReply stall() { return {}; }

ControlReply word(std::uint16_t value) {
  return ok({static_cast<std::byte>(value & 0xff), static_cast<std::byte>(value >> 8)});
}

}  // namespace

ControlReply ControlEndpoint::handle(const SetupPacket& setup, std::span<const std::byte> data) {
  const bool is_standard = (setup.request_type & 0x60) == 0;
  auto meddled = device_.meddle(setup);
  ControlReply reply = meddled ? std::move(*meddled) : is_standard ? standard(setup) : device_.request(setup, data);
  if (!setup.is_in() || reply.status != TransferStatus::success) reply.data.clear();
  if (reply.data.size() > setup.length) reply.data.resize(setup.length);
  return reply;
}

ControlReply ControlEndpoint::standard(const SetupPacket& setup) {
  // The class' own descriptors (HID's report descriptor) are asked for by a standard request to the interface.
  if (setup.request == kGetDescriptor && recipient(setup) == kRecipientInterface) return device_.request(setup, {});
  switch (setup.request) {
    case kGetDescriptor: {
      if (!setup.is_in() || recipient(setup) != kRecipientDevice) return stall();
      auto found = device_.descriptors().find(static_cast<std::uint8_t>(setup.value >> 8),
                                              static_cast<std::uint8_t>(setup.value & 0xff));
      return found.empty() ? stall() : ok(std::move(found));
    }
    case kGetStatusRequest: return setup.is_in() ? get_status(setup) : stall();
    case kClearFeature: return feature(setup, false);
    case kSetFeature: return feature(setup, true);
    case kSetSel:
    case kSetIsochDelay: return ok();
    default: return stall();
  }
}

ControlReply ControlEndpoint::get_status(const SetupPacket& setup) {
  switch (recipient(setup)) {
    case kRecipientDevice:
    case kRecipientInterface: return word(0);  // bus-powered, no remote wake-up
    case kRecipientEndpoint: {
      const auto address = static_cast<std::uint8_t>(setup.index);
      if ((address & 0x0f) != 0 && endpoints_.endpoint(address) == nullptr) return stall();
      return word(halted_[usbredir::EndpointTable::index(address)] ? 1 : 0);
    }
    default: return stall();
  }
}

ControlReply ControlEndpoint::feature(const SetupPacket& setup, bool set) {
  if (setup.is_in()) return stall();
  // Power saving of the link (U1, U2, remote wake-up, suspend) has no meaning here; saying yes keeps the guest content.
  if (recipient(setup) != kRecipientEndpoint) return ok();
  const auto address = static_cast<std::uint8_t>(setup.index);
  if (setup.value != kEndpointHalt) return stall();
  if ((address & 0x0f) == 0) return ok();
  if (endpoints_.endpoint(address) == nullptr) return stall();
  const bool halted = set || !device_.clear_halt(address);
  halted_[usbredir::EndpointTable::index(address)] = halted;
  return ok();
}

}  // namespace usbloop::device_sim
