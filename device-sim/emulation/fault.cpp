#include "device-sim/emulation/fault.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "device-sim/emulation/descriptor_lies.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

auto refuse_fault_text(std::string_view text, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kEmulateOperation, "the fault '" + std::string(text) + "'", std::move(cause),
                    std::move(hint));
}

/// A whole number, also as 0x and hexadecimal digits.
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

/// Bytes a second, with K or M of 1024 behind it.
std::optional<std::uint64_t> bytes_a_second(std::string_view text) {
  const char unit = text.empty() ? '0' : text.back();
  const unsigned shift = unit == 'K' ? 10 : unit == 'M' ? 20 : 0;
  if (shift != 0) text.remove_suffix(1);
  const auto count = number(text, 1, std::uint64_t{1} << 20);
  return count ? std::optional(*count << shift) : std::nullopt;
}

std::optional<usbredir::Speed> speed_of(std::string_view text) {
  using usbredir::Speed;
  for (const Speed speed : {Speed::low, Speed::full, Speed::high, Speed::super}) {
    if (text == to_string(speed)) return speed;
  }
  return std::nullopt;
}

template <typename T, typename U>
bool put(T& field, const std::optional<U>& value) {
  if (value) field = static_cast<T>(*value);
  return value.has_value();
}

/// Gives `fault` the parameter. False: it cannot have this value.
bool set_parameter(Fault& fault, std::string_view name, std::string_view value) {
  constexpr std::uint64_t kLongest = 600'000;  // ms
  if (name == "endpoint") return put(fault.endpoint, number(value, 0, 0x8f)) && (*fault.endpoint & 0x70) == 0;
  if (name == "at") return put(fault.at, number(value, 1, kMost));
  if (name == "times" || name == "resets") return put(fault.times, number(value, 1, kMost));
  if (name == "bytes") return put(fault.bytes, number(value, 0, std::uint64_t{1} << 30));
  if (name == "block") return put(fault.block, number(value, 0, kMost));
  if (name == "blocks") return put(fault.blocks, number(value, 1, kMost));
  if (name == "code") return put(fault.code, number(value, 1, 0xffff));
  if (name == "rate") return put(fault.rate, bytes_a_second(value));
  if (name == "speed") return put(fault.speed, speed_of(value));
  if (name == "latency") {
    const auto time = number(value, 1, kLongest);
    if (time) fault.latency = std::chrono::milliseconds(*time);
    return time.has_value();
  }
  fault.lie = value;
  return find_lie(fault.lie) != nullptr;
}

std::string names_of(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string known_faults() {
  std::vector<std::string> names;
  for (const FaultInfo& info : fault_kinds()) names.emplace_back(info.name);
  return "Known faults: " + names_of(names) + ".";
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(separator, start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// What a kind cannot do without.
const char* what_misses(const Fault& fault, const std::vector<std::string>& given) {
  const auto has = [&](const char* name) { return std::find(given.begin(), given.end(), name) != given.end(); };
  switch (fault.kind) {
    case FaultKind::slow: return has("latency") || has("rate") ? nullptr : "latency= or rate= is missing";
    case FaultKind::medium_error: return has("block") ? nullptr : "block= is missing";
    case FaultKind::descriptors: return has("lie") ? nullptr : "lie= is missing";
    case FaultKind::wrong_speed: return has("speed") ? nullptr : "speed= is missing";
    default: return nullptr;
  }
}

}  // namespace

tl::unexpected<Error> refuse_fault(const Fault& fault, const usbredir::DeviceDescription& device, std::string cause) {
  return make_error(ErrorKind::invalid, kEmulateOperation, "the fault " + name_of(fault.kind) + " of " + device.label(),
                    std::move(cause));
}

std::string name_of(FaultKind kind) {
  const auto& all = fault_kinds();
  return std::find_if(all.begin(), all.end(), [&](const FaultInfo& info) { return info.kind == kind; })->name;
}

Result<Fault> parse_fault(std::string_view text) {
  const auto parts = split_at(text, ':');
  const auto& all = fault_kinds();
  const auto info = std::find_if(all.begin(), all.end(), [&](const FaultInfo& each) { return each.name == parts[0]; });
  if (info == all.end()) return refuse_fault_text(text, "there is no such fault", known_faults());
  Fault fault;
  fault.kind = info->kind;
  if (fault.kind == FaultKind::reset_storm) fault.times = 3;
  std::vector<std::string> given;
  for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
    const auto equals = std::min(part->find('='), part->size());
    const std::string name(part->substr(0, equals));
    const std::string value(part->substr(std::min(equals + 1, part->size())));
    if (std::find(info->parameters.begin(), info->parameters.end(), name) == info->parameters.end()) {
      return refuse_fault_text(text, "it takes no '" + name + "'",
                               "What it takes: " + names_of(info->parameters) + ", each as :NAME=VALUE.");
    }
    if (std::find(given.begin(), given.end(), name) != given.end())
      return refuse_fault_text(text, name + "= is given twice");
    if (!set_parameter(fault, name, value)) {
      return refuse_fault_text(text, name + "=" + value + " makes no sense",
                               name == "lie" ? "Known lies: " + names_of(lie_names()) + "." : "");
    }
    given.push_back(name);
  }
  if (const char* missing = what_misses(fault, given)) return refuse_fault_text(text, missing);
  return fault;
}

Result<std::vector<Fault>> parse_faults(std::string_view text) {
  std::vector<Fault> faults;
  for (const auto word : split_at(text, ' ')) {
    if (word.empty()) continue;
    auto fault = parse_fault(word);
    if (!fault) return tl::unexpected(fault.error());
    faults.push_back(std::move(*fault));
  }
  if (faults.empty()) return refuse_fault_text(text, "none is named", known_faults());
  return faults;
}

}  // namespace usbloop::device_sim
