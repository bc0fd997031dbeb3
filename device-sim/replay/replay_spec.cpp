#include "device-sim/replay/replay_spec.h"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <utility>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/replay/recording.h"
#include "device-sim/replay/replay_device.h"

namespace usbloop::device_sim {
namespace {

Result<std::optional<std::uint8_t>> read_number(const DeviceSpec& spec) {
  const std::string* text = option_of(spec, "device");
  if (text == nullptr) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 1 || number > 127)
    return refuse_option(spec, "device=" + *text + " is not a number of a device", "They are 1 to 127.");
  return static_cast<std::uint8_t>(number);
}

Result<std::optional<usbredir::Speed>> read_speed(const DeviceSpec& spec) {
  using usbredir::Speed;
  const std::string* text = option_of(spec, "speed");
  if (text == nullptr) return std::nullopt;
  for (const Speed speed : {Speed::low, Speed::full, Speed::high, Speed::super}) {
    if (*text == to_string(speed)) return speed;
  }
  return refuse_option(spec, "speed=" + *text + " is not a speed", "It is low, full, high or super.");
}

}  // namespace

Result<std::unique_ptr<Device>> make_replay(const DeviceSpec& spec, std::optional<UsbId> /*default_id*/) {
  const std::string* file = option_of(spec, "file");
  if (file == nullptr || file->empty()) {
    return refuse_option(spec, "file= is missing", "For example: replay,file=usb.pcapng, after --record usb.pcapng");
  }
  const auto number = read_number(spec);
  if (!number) return tl::unexpected(number.error());
  const auto speed = read_speed(spec);
  if (!speed) return tl::unexpected(speed.error());
  std::error_code ignored;
  if (std::filesystem::is_directory(*file, ignored)) return make_errno_error("open", *file, EISDIR);
  errno = 0;
  std::ifstream in(*file, std::ios::binary);
  if (!in) return make_errno_error("open", *file, errno == 0 ? EIO : errno);
  auto recording = read_recording(in, *number);
  if (!recording) {
    Error error = recording.error();
    return make_error(error.kind, "replay", *file,
                      error.object == "the recording" ? error.cause : error.object + ": " + error.cause, error.hint);
  }
  return ReplayDevice::make(std::move(*recording), *speed, *file);
}

}  // namespace usbloop::device_sim
