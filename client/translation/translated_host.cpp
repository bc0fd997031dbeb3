#include "client/translation/translated_host.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "client/translation/large_buffers.h"
#include "common/log.h"

namespace usbloop::client {
namespace {

using usbredir::HostState;

// A hello: type and length, a 32-bit id, 64 bytes of version, words of capabilities.
constexpr std::size_t kHeaderSize = 12, kVersionSize = 64, kLongestCapabilities = 64;

std::uint32_t word_of(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

TranslatedHost::TranslatedHost(std::unique_ptr<usbredir::HostEnd> stick) : stick_(std::move(stick)), link_(*stick_) {
  keep_large_buffers();
  carry();
}

const usbredir::DeviceDescription& TranslatedHost::device() const {
  return guest_ ? guest_->device() : stick_->device();
}

/// What is no hello counts as one: the guest's end tells then what is wrong with it.
bool TranslatedHost::hello_is_whole() const {
  if (hello_.size() < kHeaderSize) return false;
  const std::size_t body = word_of(hello_, 4);
  const bool is_hello = word_of(hello_, 0) == usb_redir_hello && body <= kVersionSize + kLongestCapabilities;
  return !is_hello || hello_.size() >= kHeaderSize + body;
}

bool TranslatedHost::guest_has_streams() const {
  constexpr std::size_t kAt = kHeaderSize + kVersionSize;
  return hello_.size() >= kAt + 4 && (word_of(hello_, kAt) >> usb_redir_cap_bulk_streams & 1) != 0;
}

bool TranslatedHost::wants_input() const {
  if (is_final(state())) return false;
  return guest_ ? guest_->wants_input() : !hello_is_whole();
}

Result<std::size_t> TranslatedHost::receive(std::span<const std::byte> bytes) {
  if (is_final(state())) return bytes.size();
  std::size_t taken = 0;
  while (!guest_ && taken < bytes.size() && !hello_is_whole()) hello_.push_back(bytes[taken++]);
  if (!guest_) carry();
  if (!guest_ || taken == bytes.size()) return taken;
  auto more = guest_->receive(bytes.subspan(taken));
  if (!more) {
    stick_->disconnect();
    return more;
  }
  carry();
  return taken + *more;
}

/// Shows the guest its device, now that both sides are known.
void TranslatedHost::begin() {
  const bool as_uas = guest_has_streams() && link_.last_logical_unit() == 0;
  if (!as_uas && word_of(hello_, 0) == usb_redir_hello) {
    spdlog::warn("{}: Bulk-Only Transport is kept: {}", stick_->device().label(),
                 guest_has_streams() ? "it has several logical units" : "the guest's side has no bulk streams");
  }
  auto device = std::make_unique<TranslatedStick>(link_, stick_->device(), as_uas);
  device_ = device.get();
  auto host = device_sim::EmulatedHost::make(std::move(device));
  if (!host) return;  // our own descriptors
  guest_ = std::move(*host);
  device_->set_waiting([guest = guest_.get()](device_sim::Pipe pipe) { return guest->waiting(pipe); });
  // A broken hello leaves guest_ in its final state, which is all that counts.
  static_cast<void>(guest_->receive(std::exchange(hello_, {})));
}

/// Carries on both sides until neither has anything to do.
void TranslatedHost::carry() {
  if (is_final(state())) return stick_->disconnect();
  bool again = link_.pump();
  if (!guest_ && link_.state() == StickLink::State::ready && hello_is_whole()) {
    begin();
    again = true;
  }
  while (guest_ && again) {
    device_->go_on();
    guest_->serve_waiting();
    again = link_.pump();
  }
  if (guest_ && link_.state() == StickLink::State::failed) guest_->lose_device();
  if (is_final(state())) stick_->disconnect();
}

void TranslatedHost::look() {
  stick_->look();
  carry();
}

std::span<const std::byte> TranslatedHost::pending() const {
  return guest_ ? guest_->pending() : std::span<const std::byte>{};
}

void TranslatedHost::consume(std::size_t count) {
  guest_->consume(count);
  carry();
}

HostState TranslatedHost::state() const {
  if (guest_) return guest_->state();
  if (disconnected_) return HostState::disconnected;
  if (link_.state() == StickLink::State::failed) return HostState::device_gone;
  return HostState::waiting;
}

Result<> TranslatedHost::outcome() const {
  if (state() != HostState::device_gone) return guest_ ? guest_->outcome() : Result<>();
  const auto stick = stick_->outcome();
  if (!stick && is_final(stick_->state())) return stick;
  return make_error(ErrorKind::unavailable, "redirect", stick_->device().label(), link_.problem(),
                    "--transport bulk-only redirects it as it is.");
}

void TranslatedHost::disconnect() {
  if (is_final(state())) return;
  disconnected_ = true;
  if (guest_) guest_->disconnect();
  stick_->disconnect();
}

}  // namespace usbloop::client
