#include "device-sim/emulation/fault_rules.h"

#include <algorithm>
#include <cstdio>

#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {
namespace {

using usbredir::TransferType;

constexpr std::uint8_t kInDirection = 0x80;

/// A fault of this kind can be at an endpoint of this type and direction.
bool fits(FaultKind kind, std::uint8_t endpoint, TransferType type) {
  const bool is_in = (endpoint & kInDirection) != 0;
  switch (kind) {
    case FaultKind::short_packet: return is_in && type != TransferType::control;
    case FaultKind::timeout:
    case FaultKind::unplug:
    case FaultKind::silent: return true;
    case FaultKind::babble: return (is_in || type == TransferType::control) && type != TransferType::iso;
    // Isochronous packets have no handshake, and come by the clock.
    default: return type != TransferType::iso;
  }
}

bool concerns(const Fault& fault, std::uint8_t endpoint, TransferType type) {
  const bool is_meant = fault.endpoint ? *fault.endpoint == endpoint : endpoint != 0;
  return is_meant && fits(fault.kind, endpoint, type);
}

std::string why_not(const Fault& fault, const EndpointTypes& types) {
  if (!fault.endpoint) return "it has no endpoint that can have this fault";
  char name[8];
  std::snprintf(name, sizeof name, "0x%02x", unsigned{*fault.endpoint});
  if (*fault.endpoint != 0 && !types.contains(*fault.endpoint)) return std::string("it has no endpoint ") + name;
  return std::string("endpoint ") + name + " cannot have this fault, by its direction or its type";
}

std::string endpoints_of(const EndpointTypes& types) {
  std::string text;
  for (const auto& [endpoint, type] : types) {
    char name[8];
    std::snprintf(name, sizeof name, "0x%02x", unsigned{endpoint});
    text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

}  // namespace

EndpointTypes endpoint_types(const DescriptorSet& descriptors) {
  EndpointTypes types;
  const auto configuration = usbredir::parse_configuration(descriptors.configuration);
  if (!configuration) return types;
  for (const auto& setting : configuration->settings) {
    for (const auto& endpoint : setting.endpoints) types.emplace(endpoint.address, endpoint.type);
  }
  return types;
}

Result<> FaultRules::add(const Fault& fault, const EndpointTypes& types, const std::string& device) {
  EndpointTypes all = types;
  all.emplace(0, TransferType::control);
  const bool makes_sense =
      std::any_of(all.begin(), all.end(), [&](const auto& each) { return concerns(fault, each.first, each.second); });
  if (!makes_sense) {
    return make_error(ErrorKind::invalid, kEmulateOperation, "the fault " + name_of(fault.kind) + " of " + device,
                      why_not(fault, types), "Its endpoints: " + endpoints_of(types) + ".");
  }
  silent_ = silent_ || (fault.kind == FaultKind::silent && fault.at == 1);
  active_.push_back({fault, 0, fault.times, false});
  return {};
}

void FaultRules::clear() {
  active_.clear();
  silent_ = false;
}

std::optional<Fault> FaultRules::hit(std::uint8_t endpoint, TransferType type) {
  std::optional<Fault> hit;
  for (Active& each : active_) {
    if (each.fault.kind == FaultKind::slow || !concerns(each.fault, endpoint, type)) continue;
    ++each.seen;
    if (each.seen < each.fault.at || each.left == 0) continue;
    if (each.fault.kind == FaultKind::silent) silent_ = true;
    if (hit) continue;
    hit = each.fault;
    if (each.fault.kind == FaultKind::reset_storm) {
      each.has_failed = true;
    } else {
      --each.left;
    }
  }
  return hit;
}

void FaultRules::reset() {
  for (Active& each : active_) {
    if (!std::exchange(each.has_failed, false)) continue;
    --each.left;
  }
}

std::chrono::nanoseconds FaultRules::latency(std::uint8_t endpoint) const {
  std::chrono::nanoseconds sum{0};
  for (const Active& each : active_) {
    const bool is_meant = each.fault.endpoint ? *each.fault.endpoint == endpoint : endpoint != 0;
    if (each.fault.kind == FaultKind::slow && is_meant) sum += each.fault.latency;
  }
  return sum;
}

std::chrono::nanoseconds FaultRules::transmission(std::uint8_t endpoint, std::size_t bytes) const {
  std::chrono::nanoseconds sum{0};
  for (const Active& each : active_) {
    const bool is_meant = each.fault.endpoint ? *each.fault.endpoint == endpoint : endpoint != 0;
    if (each.fault.kind != FaultKind::slow || !is_meant || each.fault.rate == 0) continue;
    sum += std::chrono::nanoseconds(std::chrono::seconds(1)) * static_cast<std::int64_t>(bytes) /
           static_cast<std::int64_t>(each.fault.rate);
  }
  return sum;
}

}  // namespace usbloop::device_sim
