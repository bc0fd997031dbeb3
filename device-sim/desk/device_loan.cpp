#include "device-sim/desk/device_loan.h"

namespace usbloop::desk {

device_sim::ControlReply DeviceLoan::request(const device_sim::SetupPacket& setup, std::span<const std::byte> data) {
  ++counters_.requests;
  auto reply = behind().request(setup, data);
  if (!reply.done) {
    --counters_.requests;  // it is offered again
    return reply;
  }
  if (reply.status != device_sim::TransferStatus::success) ++counters_.failures;
  return reply;
}

device_sim::OutReply DeviceLoan::out(Pipe pipe, std::span<const std::byte> data) {
  const auto reply = behind().out(pipe, data);
  if (!reply.done) return reply;
  if (reply.status == device_sim::TransferStatus::success) {
    ++counters_.out;
    counters_.bytes_out += reply.size;
  } else {
    ++counters_.failures;
  }
  return reply;
}

device_sim::InReply DeviceLoan::in(Pipe pipe, std::span<std::byte> room) {
  const auto reply = behind().in(pipe, room);
  if (reply.kind == InReply::Kind::data) {
    ++counters_.in;
    counters_.bytes_in += reply.size;
  } else if (reply.kind != InReply::Kind::not_yet) {
    ++counters_.failures;
  }
  return reply;
}

std::size_t DeviceLoan::isochronous(std::uint8_t endpoint, std::span<std::byte> room) {
  const std::size_t size = behind().isochronous(endpoint, room);
  ++counters_.in;
  counters_.bytes_in += size;
  return size;
}

void DeviceLoan::isochronous_out(std::uint8_t endpoint, std::span<const std::byte> data) {
  ++counters_.out;
  counters_.bytes_out += data.size();
  behind().isochronous_out(endpoint, data);
}

}  // namespace usbloop::desk
