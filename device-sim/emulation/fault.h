#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "usbredir/host_end.h"

namespace usbloop::device_sim {

/// What a device can do wrong when it is told to.
enum class FaultKind {
  stall,
  error,
  timeout,
  short_packet,
  babble,
  silent,
  slow,
  unplug,
  reset_storm,
  descriptors,
  wrong_speed,
  residue,
  tag,
  phase,
  medium_error,
  unit_attention
};

/// One fault with its parameters. What a kind does not take has its default, and means nothing.
struct Fault {
  FaultKind kind = FaultKind::stall;
  /// The endpoint's address, 0: control transfers. Nothing: every endpoint but that of control transfers.
  std::optional<std::uint8_t> endpoint = std::nullopt;
  std::uint64_t at = 1;     ///< the first one that it hits: transfers, answers or commands from when it is set
  std::uint64_t times = 1;  ///< how many one after the other; of reset_storm: resets
  std::size_t bytes = 0;    ///< short_packet: so many are left
  std::uint64_t block = 0;  ///< medium_error: the first
  std::uint64_t blocks = 1;
  std::uint16_t code = 0x2900;                    ///< unit_attention: additional sense code and qualifier (SPC-4, 4.5)
  std::chrono::milliseconds latency{0};           ///< slow: before each transfer
  std::uint64_t rate = 0;                         ///< slow: bytes a second, 0: any
  std::string lie = {};                           ///< descriptors: its name in descriptor_lies()
  usbredir::Speed speed = usbredir::Speed::full;  ///< wrong_speed
};

/// A kind of fault as people know it.
struct FaultInfo {
  FaultKind kind;
  const char* name;
  std::vector<std::string> parameters;  ///< their names
  const char* help;                     ///< a sentence
};

/// All kinds, in the order in which they are told of.
const std::vector<FaultInfo>& fault_kinds();
std::string name_of(FaultKind kind);
/// Of a disk and its transport, and of nothing else.
constexpr bool is_of_storage(FaultKind kind) { return kind >= FaultKind::residue; }
/// The Error (kind invalid) about a fault that makes no sense for a device.
tl::unexpected<Error> refuse_fault(const Fault& fault, const usbredir::DeviceDescription& device, std::string cause);

/// Reads `NAME[:PARAMETER=VALUE]...`, for example `stall:endpoint=0x81:at=5`. An Error (kind invalid) says what is
/// wrong.
Result<Fault> parse_fault(std::string_view text);
/// Reads several, with blanks between them.
Result<std::vector<Fault>> parse_faults(std::string_view text);

/// The faults and their parameters, for --help: lines of up to 120 characters.
std::string fault_help();

}  // namespace usbloop::device_sim
