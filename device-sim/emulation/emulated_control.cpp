#include <algorithm>
#include <utility>

#include "common/log.h"
#include "device-sim/emulation/emulated_host.h"

// The control transfers of EmulatedHost. usb.md section 1.
namespace usbloop::device_sim {
namespace {

// A guest has one or two under way; more is an attempt on our memory.
constexpr std::size_t kMaxControls = 16;

usb_redir_control_packet_header ended_as(usb_redir_control_packet_header header, TransferStatus status,
                                         std::size_t data) {
  header.status = static_cast<std::uint8_t>(status);
  if ((header.endpoint & 0x80) != 0) header.length = static_cast<std::uint16_t>(data);
  return header;
}

}  // namespace

void EmulatedHost::on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) {
  if (!in_use()) return;
  spdlog::trace("usbredir: control {:02x} {:02x} value {:04x} index {:04x} length {}", header.requesttype,
                header.request, header.value, header.index, header.length);
  const bool is_in = (header.requesttype & 0x80) != 0;
  const bool sound = is_in == ((header.endpoint & 0x80) != 0) && (header.endpoint & 0x7f) == 0;
  if (!sound || controls_.size() >= kMaxControls) {
    parser_.send(id, ended_as(header, sound ? TransferStatus::io_error : TransferStatus::invalid, 0));
    return;
  }
  controls_.push_back({id, header, std::move(data)});
  serve_controls();
  serve_waiting();  // a cleared halt or a class request may have given waiting requests their data
}

/// Offers the device the control transfers that wait, in their order.
bool EmulatedHost::serve_controls() {
  bool served = false;
  for (; !controls_.empty(); served = true) {
    const auto& [id, header, data] = controls_.front();
    const SetupPacket setup{header.requesttype, header.request, header.value, header.index, header.length};
    const ControlReply answer = control_.handle(setup, data.bytes());
    if (!answer.done) break;
    parser_.send(id, ended_as(header, answer.status, answer.data.size()), answer.data);
    controls_.pop_front();
  }
  return served;
}

/// False when it is no control transfer that waits.
bool EmulatedHost::cancel_control(std::uint64_t id) {
  const auto found =
      std::find_if(controls_.begin(), controls_.end(), [id](const WaitingControl& each) { return each.id == id; });
  if (found == controls_.end()) return false;
  const bool was_first = found == controls_.begin();
  parser_.send(id, ended_as(found->header, TransferStatus::cancelled, 0));
  controls_.erase(found);
  if (was_first) device_->cancelled({0, 0});
  return true;
}

}  // namespace usbloop::device_sim
