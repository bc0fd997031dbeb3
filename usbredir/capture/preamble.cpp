#include "usbredir/capture/preamble.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace usbloop::capture {
namespace {

constexpr std::size_t kMostAsked = 64;
constexpr std::size_t kMostExchanges = 128;
constexpr std::size_t kMostBytes = 256 * 1024;

constexpr std::uint8_t kGetDescriptor = 0x06, kSetConfiguration = 0x09, kSetInterface = 0x0b;

/// Where a request stands among those that are told again; nothing for one that tells nothing of the device.
std::optional<std::uint64_t> place_of(const Setup& setup) {
  const auto at = [&setup](std::size_t index) { return std::uint64_t{setup[index]}; };
  constexpr std::uint8_t kStandard = 0x60;
  if ((setup[0] & kStandard) != 0) return std::nullopt;
  switch (setup[1]) {
    // By recipient, then by the type of the descriptor: device, configuration, string; then an interface's own.
    case kGetDescriptor: return at(0) << 40 | at(3) << 32 | at(2) << 24 | at(5) << 8 | at(4);
    case kSetConfiguration: return std::uint64_t{1} << 60;
    case kSetInterface: return std::uint64_t{2} << 60 | at(4);
    default: return std::nullopt;
  }
}

}  // namespace

void Preamble::look_at(const Urb& urb) {
  if (urb.type != usbredir::TransferType::control) return;
  if (urb.event == Event::submit) {
    if (urb.setup && place_of(*urb.setup) && asked_.size() < kMostAsked) asked_.insert_or_assign(urb.id, urb);
    return;
  }
  auto asked = asked_.extract(urb.id);
  if (!asked.empty() && urb.status == urb_status::kSuccess) keep({std::move(asked.mapped()), urb});
}

/// Of several answers to one question the longest is kept: a guest asks for the beginning first.
void Preamble::keep(Exchange&& exchange) {
  const auto place = *place_of(*exchange.begin.setup);
  const auto known = exchanges_.find(place);
  const std::size_t size = exchange.end.data.size();
  std::size_t before = 0;
  if (known != exchanges_.end()) {
    before = known->second.end.data.size();
    if (size < before) return;
  } else if (exchanges_.size() >= kMostExchanges) {
    return;
  }
  if (bytes_ - before + size > kMostBytes) return;
  bytes_ = bytes_ - before + size;
  exchange.begin.comment.clear();
  exchange.end.comment.clear();
  exchanges_.insert_or_assign(place, std::move(exchange));
}

std::vector<Urb> Preamble::repeat() const {
  std::vector<Urb> urbs;
  for (const auto& [place, exchange] : exchanges_) {
    urbs.push_back(exchange.begin);
    urbs.push_back(exchange.end);
  }
  if (!urbs.empty()) urbs.front().comment = "Told again from earlier: the device's descriptors and settings.";
  return urbs;
}

}  // namespace usbloop::capture
