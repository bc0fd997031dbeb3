#include "client/translation/translated_stick.h"

#include <algorithm>
#include <utility>

#include "device-sim/storage/storage_descriptors.h"
#include "uas/pipes.h"

namespace usbloop::client {
namespace {

using device_sim::ControlReply;
using device_sim::Pipe;
using uas::Direction;
using usbredir::InReply;
using usbredir::OutReply;
using usbredir::Speed;
using usbredir::TransferStatus;

usbredir::DeviceDescription describe(usbredir::DeviceDescription description, bool as_uas) {
  if (!as_uas) return description;
  description.speed = Speed::super;
  description.kind += (description.kind.empty() ? "" : ", ") + std::string("as a UAS disk");
  return description;
}

void write_both(usbredir::DescriptorWriter& writer, Speed speed) {
  device_sim::write_bulk_only_interface(writer, speed);
  uas::write_interface(writer, 1, speed);
}

}  // namespace

TranslatedStick::TranslatedStick(StickLink& link, usbredir::DeviceDescription description, bool as_uas)
    : link_(link),
      description_(describe(std::move(description), as_uas)),
      descriptors_(device_sim::storage_descriptors(description_,
                                                   as_uas ? write_both : device_sim::write_bulk_only_interface,
                                                   link.announced().device_version_bcd)),
      initiator_(link),
      far_disk_(initiator_, [this] { return initiator_.block_size(); }),
      attached_(far_disk_, [this](std::uint16_t tag) { return offered(tag); }) {}

uas::Movement TranslatedStick::offered(std::uint16_t tag) const {
  if (const auto in = waiting_({uas::kDataInEndpoint, tag}); in > 0) return {Direction::in, in};
  if (const auto out = waiting_({uas::kDataOutEndpoint, tag}); out > 0) return {Direction::out, out};
  return {};
}

void TranslatedStick::select(std::uint8_t, std::uint8_t alternate) {
  is_attached_ = alternate == 1;
  attached_.reset();
  drop(in_);
  drop(out_);
  // Whether a command was under way is not known here.
  if (std::exchange(passed_, false)) initiator_.recover();
}

void TranslatedStick::set_streams(std::uint8_t endpoint, std::uint32_t count) {
  if (endpoint == uas::kStatusEndpoint) attached_.restart(count);
}

ControlReply TranslatedStick::request(const device_sim::SetupPacket& setup, std::span<const std::byte>) {
  constexpr std::uint8_t kClassIn = 0xa1, kClassOut = 0x21, kGetMaxLun = 0xfe, kMassStorageReset = 0xff;
  if (is_attached_) return {};
  if (setup.request_type == kClassIn && setup.request == kGetMaxLun) {
    return {TransferStatus::success, {std::byte{link_.last_logical_unit()}}};
  }
  if (setup.request_type != kClassOut || setup.request != kMassStorageReset) return {};
  link_.reset_transport(settle());
  return {TransferStatus::success, {}};
}

/// A request to the stick, for which transfers wait.
StickLink::Done TranslatedStick::settle() {
  ++controls_;
  return [this](const TransferEnd&) { --controls_; };
}

bool TranslatedStick::clear_halt(std::uint8_t endpoint) {
  if (!is_attached_) link_.clear_halt((endpoint & 0x80) != 0, settle());
  return true;
}

StickLink::Done TranslatedStick::keep(Passing& passing) {
  return [&passing, turn = ++passing.turn](TransferEnd end) {
    if (turn == passing.turn) passing.end = std::move(end);
  };
}

/// The end of the transfer, when it has come; the next one may go then.
std::optional<TransferEnd> TranslatedStick::take(Passing& passing) {
  if (passing.end) passing.id = 0;
  return std::exchange(passing.end, std::nullopt);
}

OutReply TranslatedStick::out(Pipe pipe, std::span<const std::byte> data) {
  if (is_attached_) return uas::serve_out(attached_, pipe.endpoint, pipe.stream, data);
  if (is_busy()) return OutReply::not_yet();
  if (out_.id == 0) {
    passed_ = true;
    out_.id = link_.bulk_out(data, keep(out_));
  }
  const auto end = take(out_);
  if (!end) return OutReply::not_yet();
  return end->status == TransferStatus::success ? OutReply::taken(end->moved) : OutReply::failed(end->status);
}

InReply TranslatedStick::in(Pipe pipe, std::span<std::byte> room) {
  if (is_attached_) return uas::serve_in(attached_, pipe.endpoint, pipe.stream, room);
  if (is_busy()) return InReply::not_yet();
  if (in_.id == 0) {
    passed_ = true;
    in_.id = link_.bulk_in(room.size(), keep(in_));
  }
  const auto end = take(in_);
  if (!end) return InReply::not_yet();
  if (end->status == TransferStatus::stall) return InReply::stall();
  if (end->status != TransferStatus::success) return InReply::failed(end->status);
  const std::size_t size = std::min(end->moved, room.size());
  std::copy_n(end->data.bytes().begin(), size, room.begin());
  return InReply::data(size);
}

void TranslatedStick::drop(Passing& passing) {
  if (passing.id != 0 && !passing.end) link_.cancel(passing.id);
  passing.id = 0;
  ++passing.turn;
  passing.end.reset();
}

void TranslatedStick::cancelled(Pipe pipe) {
  if (!is_attached_) drop((pipe.endpoint & 0x80) != 0 ? in_ : out_);
}

}  // namespace usbloop::client
