#include "device-sim/emulation/emulated_host.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/shown_text.h"
#include "usbredir/rejection.h"

namespace usbloop::device_sim {
namespace {

using usbredir::EndpointTable;
using usbredir::HostState;

std::uint8_t byte_at(const std::vector<std::byte>& bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes.at(at));
}

bool has_streams(const usbredir::Configuration& configuration) {
  for (const auto& setting : configuration.settings) {
    for (const auto& endpoint : setting.endpoints) {
      if (endpoint.max_streams > 0) return true;
    }
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<EmulatedHost>> EmulatedHost::make(std::unique_ptr<Device> device,
                                                         usbredir::ParserOptions options, Clock clock) {
  auto configuration = usbredir::parse_configuration(device->descriptors().configuration);
  if (!configuration) return tl::unexpected(configuration.error());
  options.side = usbredir::Side::usb_host;
  if (has_streams(*configuration)) options.capabilities.push_back(usb_redir_cap_bulk_streams);
  if (device->buffers_bulk_in()) options.capabilities.push_back(usb_redir_cap_bulk_receiving);
  return std::unique_ptr<EmulatedHost>(new EmulatedHost(std::move(device), std::move(*configuration), options, clock));
}

EmulatedHost::EmulatedHost(std::unique_ptr<Device> device, usbredir::Configuration configuration,
                           const usbredir::ParserOptions& options, Clock clock)
    : device_(std::move(device)),
      configuration_(std::move(configuration)),
      endpoints_(configuration_),
      control_(*device_, halted_, endpoints_),
      longest_in_(options.limits.data),
      clock_(clock),
      parser_(options, *this) {
  device_->set_wake([this] { alarm_.ring(); });
}

// The device may be one that goes on after this.
EmulatedHost::~EmulatedHost() { device_->set_wake(nullptr); }

bool EmulatedHost::wants_input() const { return !is_final(state_) && parser_.wants_input(); }

Result<std::size_t> EmulatedHost::receive(std::span<const std::byte> bytes) {
  if (is_final(state_)) return bytes.size();
  device_->advance(clock_());
  auto taken = parser_.feed(bytes);
  if (!taken) {
    failure_ = taken.error();
    end(HostState::failed);
  }
  look_after();
  return taken;
}

void EmulatedHost::look() {
  if (is_final(state_)) return;
  device_->advance(clock_());
  serve_waiting();
  send_due_packets();
  look_after();
}

/// After all that may have changed the device.
void EmulatedHost::look_after() {
  if (device_->gone()) {
    if (!failure_) failure_ = device_->trouble();
    lose_device();
  }
  set_alarm();
}

Result<> EmulatedHost::set_fault(const Fault& fault) {
  if (auto fine = device_->set_fault(fault); !fine) return fine;
  if (!is_final(state_)) alarm_.set(clock_());
  return {};
}

void EmulatedHost::clear_faults() {
  device_->clear_faults();
  if (!is_final(state_)) alarm_.set(clock_());
}

/// Has itself looked at when packets of an isochronous stream are due, or when the device will have something to say,
/// unless nobody would hear it then. When the output is full, consume() goes on.
void EmulatedHost::set_alarm() {
  if (is_final(state_) || !parser_.wants_input()) return alarm_.set(std::nullopt);
  const bool has_queue = !controls_.empty() || std::any_of(waiting_.begin(), waiting_.end(),
                                                           [](const WaitingQueue& queue) { return !queue.empty(); });
  auto when = has_queue || receiving_.any() ? device_->due() : std::nullopt;
  if (const auto packets = packets_due()) when = when ? std::min(*when, *packets) : packets;
  alarm_.set(when);
}

Result<> EmulatedHost::outcome() const {
  const std::string name = device_->description().label();
  switch (state_) {
    case HostState::rejected: return tl::unexpected(usbredir::rejection_of(device_->description()));
    case HostState::device_gone:
      if (failure_) return tl::unexpected(*failure_);
      return make_error(ErrorKind::unavailable, "redirect", name, "the device is gone");
    case HostState::failed:
      if (failure_) return tl::unexpected(*failure_);
      return make_error(ErrorKind::protocol, "redirect", name, "the guest side broke the protocol");
    default: break;
  }
  if (failure_) return tl::unexpected(*failure_);  // the last flush
  return {};
}

void EmulatedHost::disconnect() {
  if (is_final(state_)) return;
  const bool announced = state_ != HostState::waiting;
  end(HostState::disconnected);
  if (announced) parser_.send_device_disconnect();
}

void EmulatedHost::lose_device() {
  if (is_final(state_)) return;
  const bool announced = state_ != HostState::waiting;
  end(HostState::device_gone);
  if (announced) parser_.send_device_disconnect();
}

void EmulatedHost::stir() { alarm_.set(Time{}); }

void EmulatedHost::end(HostState state) {
  if (is_final(state_)) return;
  state_ = state;
  forget_transfers();
  if (auto flushed = device_->flush(); !flushed && !failure_) failure_ = flushed.error();
}

void EmulatedHost::on_hello(std::string_view version) {
  spdlog::debug("usbredir: hello of \"{}\"; the device is announced", one_line(version, 64));
  announce_endpoints();
  const auto& device = device_->descriptors().device;
  usb_redir_device_connect_header connect{};
  connect.speed = static_cast<std::uint8_t>(device_->description().speed);
  connect.device_class = byte_at(device, 4);
  connect.device_subclass = byte_at(device, 5);
  connect.device_protocol = byte_at(device, 6);
  connect.vendor_id = device_->description().vendor_id;
  connect.product_id = device_->description().product_id;
  connect.device_version_bcd = static_cast<std::uint16_t>(byte_at(device, 12) | byte_at(device, 13) << 8);
  parser_.send(connect);
  state_ = HostState::announced;
}

void EmulatedHost::announce_endpoints() {
  parser_.send(endpoints_.ep_info());
  parser_.send(endpoints_.interface_info());
}

/// A packet about the device has come. False when it comes too late, behind a filter_reject.
bool EmulatedHost::in_use() {
  if (is_final(state_)) return false;
  state_ = HostState::in_use;
  return true;
}

void EmulatedHost::on_reset() {
  if (!in_use()) return;
  spdlog::debug("usbredir: the guest resets the device");
  configured_ = 0;
  endpoints_ = EndpointTable(configuration_);
  forget_transfers();
  device_->reset();
}

// After a reset nobody waits for an answer any more.
void EmulatedHost::forget_transfers() {
  for (WaitingQueue& queue : waiting_) queue.clear();
  controls_.clear();
  held_ = 0;
  streams_.fill(0);
  receiving_.reset();
  buffered_.fill(0);
  iso_streams_.clear();
  iso_out_.reset();
  halted_.reset();
}

void EmulatedHost::on_filter_reject() { end(HostState::rejected); }

}  // namespace usbloop::device_sim
