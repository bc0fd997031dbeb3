#include "device-sim/replay/recording.h"

#include <string>
#include <utility>

#include "device-sim/replay/recording_collector.h"
#include "usbredir/capture/reader.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

std::optional<usbredir::Speed> speed_of_bits(std::uint64_t bits) {
  using usbredir::Speed;
  if (bits == 0) return std::nullopt;
  if (bits < 12'000'000) return Speed::low;
  if (bits < 480'000'000) return Speed::full;
  return bits < 5'000'000'000 ? Speed::high : Speed::super;
}

/// What a device cannot be made of.
Result<> check_recording(const Recording& recording) {
  constexpr std::size_t kDeviceSize = 18, kHead = 4;
  const char* const hint = "A recording has to begin before the device is plugged in.";
  if (recording.descriptor(usbredir::descriptor_type::kDevice).size() != kDeviceSize)
    return refuse_recording("it has no device descriptor", hint);
  const auto configuration = recording.descriptor(usbredir::descriptor_type::kConfiguration);
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(configuration[at]); };
  if (configuration.size() < kHead || configuration.size() != (byte(2) | byte(3) << 8))
    return refuse_recording("it has no whole configuration descriptor", hint);
  return {};
}

}  // namespace

std::vector<std::byte> Recording::descriptor(std::uint8_t type, std::uint16_t language, std::uint8_t index) const {
  constexpr std::uint8_t kFromDevice = 0x80;
  const auto found = descriptors.find({kFromDevice, static_cast<std::uint16_t>(type << 8 | index), language});
  return found == descriptors.end() ? std::vector<std::byte>{} : found->second;
}

Result<Recording> read_recording(std::istream& in, std::optional<std::uint8_t> device, std::size_t room) {
  capture::CaptureReader reader(in);
  RecordingCollector collector(room);
  std::optional<std::uint8_t> wanted = device;
  for (std::uint64_t number = 1;; ++number) {
    auto record = reader.next();
    if (!record) return tl::unexpected(record.error());
    if (!*record) break;
    const std::uint8_t of = (*record)->urb.device;
    if (!wanted) wanted = of;
    if (of != *wanted) continue;
    if (collector.recording.device == 0) {
      collector.recording.device = of;
      collector.recording.speed = speed_of_bits(reader.interfaces()[(*record)->interface].speed);
    }
    if (auto fine = collector.take(number, std::move(**record)); !fine) return tl::unexpected(fine.error());
  }
  if (collector.recording.device == 0) {
    const std::string which = device ? "no device " + std::to_string(*device) : "no USB transfer";
    return make_error(ErrorKind::not_found, "replay", "the recording", "it has " + which);
  }
  if (auto fine = check_recording(collector.recording); !fine) return tl::unexpected(fine.error());
  return std::move(collector.recording);
}

}  // namespace usbloop::device_sim
