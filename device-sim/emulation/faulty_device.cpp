#include "device-sim/emulation/faulty_device.h"

#include <algorithm>

#include "common/log.h"

namespace usbloop::device_sim {
namespace {

using usbredir::TransferType;

}  // namespace

FaultyDevice::FaultyDevice(std::unique_ptr<Device> inner)
    : ForwardingDevice(*inner),
      inner_(std::move(inner)),
      description_(inner_->description()),
      types_(endpoint_types(inner_->descriptors())) {}

void FaultyDevice::reset() {
  rules_.reset();
  transfers_.clear();
  free_.clear();
  inner_->reset();
}

void FaultyDevice::select(std::uint8_t interface, std::uint8_t alternate) {
  transfers_.clear();
  inner_->select(interface, alternate);
}

bool FaultyDevice::clear_halt(std::uint8_t endpoint) {
  forget(endpoint);
  return inner_->clear_halt(endpoint);
}

void FaultyDevice::set_streams(std::uint8_t endpoint, std::uint32_t count) {
  forget(endpoint);
  inner_->set_streams(endpoint, count);
}

/// What waited at an endpoint has been answered without the device.
void FaultyDevice::forget(std::uint8_t endpoint) {
  std::erase_if(transfers_, [&](const auto& each) { return each.first.first == endpoint; });
}

/// The transfer that is first at `pipe`; counted when it is new.
FaultyDevice::Transfer& FaultyDevice::begun(Pipe pipe) {
  const auto [found, is_new] = transfers_.try_emplace({pipe.endpoint, pipe.stream});
  Transfer& transfer = found->second;
  if (!is_new) return transfer;
  const auto type = types_.find(pipe.endpoint);
  transfer.hit = rules_.hit(pipe.endpoint, type == types_.end() ? TransferType::control : type->second);
  const auto free = free_.find(pipe.endpoint);
  transfer.ready = std::max(now_, free == free_.end() ? now_ : free->second) + rules_.latency(pipe.endpoint);
  if (transfer.hit) spdlog::debug("fault: {} at endpoint {:02x}", name_of(transfer.hit->kind), pipe.endpoint);
  return transfer;
}

bool FaultyDevice::is_held(const Transfer& transfer) const {
  const bool is_hung = transfer.hit && transfer.hit->kind == FaultKind::timeout;
  return gone_ || rules_.is_silent() || is_hung || now_ < transfer.ready;
}

/// How a transfer ends that a fault has hit; nothing: as the device behind says, or not at all.
std::optional<TransferStatus> FaultyDevice::status_of(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::stall: return TransferStatus::stall;
    case FaultKind::error:
    case FaultKind::reset_storm: return TransferStatus::io_error;
    case FaultKind::babble: return TransferStatus::babble;
    case FaultKind::unplug: gone_ = true; return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<TransferStatus> FaultyDevice::outcome_of(const Transfer& transfer) {
  return transfer.hit ? status_of(*transfer.hit) : std::nullopt;
}

/// A transfer is over: the next one of the endpoint is another one.
void FaultyDevice::ended(Pipe pipe, std::size_t bytes) {
  transfers_.erase({pipe.endpoint, pipe.stream});
  const auto time = rules_.transmission(pipe.endpoint, bytes);
  if (time.count() > 0) free_[pipe.endpoint] = now_ + time;
}

OutReply FaultyDevice::out(Pipe pipe, std::span<const std::byte> data) {
  const Transfer& transfer = begun(pipe);
  if (is_held(transfer)) return OutReply::not_yet();
  const auto status = outcome_of(transfer);
  if (gone_) return OutReply::not_yet();
  const OutReply reply = status ? OutReply::failed(*status) : inner_->out(pipe, data);
  if (reply.done) ended(pipe, data.size());
  return reply;
}

InReply FaultyDevice::in(Pipe pipe, std::span<std::byte> room) {
  if (const auto type = types_.find(pipe.endpoint); type != types_.end() && type->second == TransferType::interrupt) {
    return report(pipe, room);
  }
  const Transfer& transfer = begun(pipe);
  if (is_held(transfer)) return InReply::not_yet();
  const auto status = outcome_of(transfer);
  if (gone_) return InReply::not_yet();
  InReply reply = !status                            ? inner_->in(pipe, room)
                  : *status == TransferStatus::stall ? InReply::stall()
                                                     : InReply::failed(*status);
  if (reply.kind == InReply::Kind::not_yet) return reply;
  if (transfer.hit && transfer.hit->kind == FaultKind::short_packet) {
    reply.size = std::min(reply.size, transfer.hit->bytes);
  }
  ended(pipe, reply.size);
  return reply;
}

/// An interrupt endpoint is asked all the time: a transfer is what it has to say.
InReply FaultyDevice::report(Pipe pipe, std::span<std::byte> room) {
  const auto free = free_.find(pipe.endpoint);
  if (gone_ || rules_.is_silent() || (free != free_.end() && now_ < free->second)) return InReply::not_yet();
  InReply reply = inner_->in(pipe, room);
  if (reply.kind == InReply::Kind::not_yet) return reply;
  const Transfer transfer{rules_.hit(pipe.endpoint, TransferType::interrupt)};
  const auto wait = rules_.latency(pipe.endpoint) + rules_.transmission(pipe.endpoint, reply.size);
  if (wait.count() > 0) free_[pipe.endpoint] = now_ + wait;
  const auto status = outcome_of(transfer);
  if (gone_ || rules_.is_silent()) return InReply::not_yet();
  if (status) return *status == TransferStatus::stall ? InReply::stall() : InReply::failed(*status);
  if (!transfer.hit) return reply;
  if (transfer.hit->kind == FaultKind::timeout) return InReply::not_yet();
  reply.size = std::min(reply.size, transfer.hit->bytes);
  return reply;
}

std::size_t FaultyDevice::isochronous(std::uint8_t endpoint, std::span<std::byte> room) {
  const std::size_t size = inner_->isochronous(endpoint, room);
  const Transfer transfer{rules_.hit(endpoint, TransferType::iso)};
  (void)outcome_of(transfer);
  if (gone_ || rules_.is_silent()) return 0;
  if (!transfer.hit) return size;
  return transfer.hit->kind == FaultKind::short_packet ? std::min(size, transfer.hit->bytes) : 0;
}

void FaultyDevice::isochronous_out(std::uint8_t endpoint, std::span<const std::byte> data) {
  const Transfer transfer{rules_.hit(endpoint, TransferType::iso)};
  (void)outcome_of(transfer);
  if (gone_ || rules_.is_silent()) return;
  if (!transfer.hit) inner_->isochronous_out(endpoint, data);
}

void FaultyDevice::advance(Time now) {
  now_ = now;
  inner_->advance(now);
}

std::optional<Time> FaultyDevice::due() const {
  std::optional<Time> when = inner_->due();
  if (when && *when <= now_) when.reset();  // it was not asked, because something is late
  const auto consider = [&](Time time) {
    if (time > now_ && (!when || time < *when)) when = time;
  };
  for (const auto& [key, transfer] : transfers_) consider(transfer.ready);
  for (const auto& [endpoint, time] : free_) consider(time);
  return when;
}

void FaultyDevice::cancelled(Pipe pipe) {
  transfers_.erase({pipe.endpoint, pipe.stream});
  inner_->cancelled(pipe);
}

std::optional<ControlReply> FaultyDevice::meddle(const SetupPacket& setup) {
  const Pipe pipe{0, 0};
  const Transfer& transfer = begun(pipe);
  if (is_held(transfer)) return ControlReply::not_yet();
  const auto status = outcome_of(transfer);
  if (gone_) return ControlReply::not_yet();
  ended(pipe, setup.length);
  if (status) return ControlReply{*status, {}};
  auto lie = lied(setup);
  return lie ? std::move(lie) : inner_->meddle(setup);
}

}  // namespace usbloop::device_sim
