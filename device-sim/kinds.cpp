#include "device-sim/kinds.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "device-sim/camera/camera_spec.h"
#include "device-sim/emulation/emulated_host.h"
#include "device-sim/emulation/faulty_device.h"
#include "device-sim/emulation/spec_options.h"
#include "device-sim/input/input_spec.h"
#include "device-sim/model/model_spec.h"
#include "device-sim/network/network_spec.h"
#include "device-sim/replay/replay_spec.h"
#include "device-sim/serial/serial_spec.h"
#include "device-sim/smart_card/smart_card_spec.h"
#include "device-sim/sound/audio_spec.h"
#include "device-sim/storage/storage_spec.h"

namespace usbloop::device_sim {
namespace {

constexpr const char* kFaultOption = "fault";  // of every kind

struct Kind {
  const char* name;
  const char* help;
  std::vector<std::string> options;
  Result<std::unique_ptr<Device>> (*make)(const DeviceSpec&, std::optional<UsbId>);
};

const std::vector<Kind>& kinds() {
  static const std::vector<std::string> kStorage = {"image", "format", "dir", "id", "speed", "serial", "ro", "overlay"};
  static const std::vector<Kind> kKinds = {
      {"stick", kStickHelp, kStorage, make_stick},
      {"ssd", kSsdHelp, kStorage, make_ssd},
      {"keyboard", kKeyboardHelp, {"media", "text", "delay", "pace", "id", "speed", "serial"}, make_keyboard},
      {"mouse", kMouseHelp, {"do", "delay", "pace", "id", "speed", "serial"}, make_mouse},
      {"serial", kSerialHelp, {"to", "pty", "command", "id", "speed", "serial"}, make_serial},
      {"ftdi", kFtdiHelp, {"to", "pty", "command", "id", "serial"}, make_ftdi},
      {"camera", kCameraHelp, {"transfers", "frames", "id", "serial"}, make_camera},
      {"microphone", kMicrophoneHelp, {"tone", "channels", "id", "speed", "serial"}, make_microphone},
      {"speaker", kSpeakerHelp, {"file", "seconds", "channels", "id", "speed", "serial"}, make_speaker},
      {"network", kNetworkHelp, {"mac", "ports", "outside", "id", "speed", "serial"}, make_network},
      {"smart-card", kSmartCardHelp, {"db", "certs", "id", "serial"}, make_smart_card},
      {"model", kModelHelp, {"socket"}, make_model},
      {"replay", kReplayHelp, {"file", "device", "speed"}, make_replay}};
  return kKinds;
}

auto refuse(std::string_view text, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kEmulateOperation, "'" + std::string(text) + "'", std::move(cause),
                    std::move(hint));
}

std::string known_kinds() {
  std::string names;
  for (const Kind& kind : kinds()) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

/// The device, which can be given faults, with those that its description has.
Result<std::unique_ptr<Device>> with_faults(const DeviceSpec& spec, std::unique_ptr<Device> device) {
  auto faulty = std::make_unique<FaultyDevice>(std::move(device));
  if (const std::string* text = option_of(spec, kFaultOption)) {
    const auto faults = parse_faults(*text);
    if (!faults) return tl::unexpected(faults.error());
    for (const Fault& fault : *faults) {
      if (auto fine = faulty->set_fault(fault); !fine) return tl::unexpected(fine.error());
    }
  }
  return faulty;
}

}  // namespace

Result<std::unique_ptr<Device>> make_device(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& candidate) { return spec.kind == candidate.name; });
  if (spec.kind == "hub") {
    return refuse(spec.kind, "usbredir carries one device and has no hubs",
                  "Emulate what would stand behind it, each device by itself.");
  }
  if (kind == kinds().end()) {
    return refuse(spec.kind, "there is no such kind of device", "Known kinds: " + known_kinds() + ".");
  }
  for (const auto& [name, value] : spec.options) {
    if (name == kFaultOption) continue;
    if (std::find(kind->options.begin(), kind->options.end(), name) != kind->options.end()) continue;
    std::string known;
    for (const auto& option : kind->options) known += option + ", ";
    known += kFaultOption;
    return refuse(spec.kind, "it has no option '" + name + "'",
                  "Its options: " + known + ". Write a comma inside a value twice.");
  }
  auto device = kind->make(spec, default_id);
  if (!device) return device;
  return with_faults(spec, std::move(*device));
}

Result<std::unique_ptr<usbredir::HostEnd>> make_host_end(std::string_view text, std::optional<UsbId> default_id) {
  const auto spec = parse_spec(text);
  if (!spec) return tl::unexpected(spec.error());
  auto device = make_device(*spec, default_id);
  if (!device) return tl::unexpected(device.error());
  auto host = EmulatedHost::make(std::move(*device));
  if (!host) return tl::unexpected(host.error());
  return std::unique_ptr<usbredir::HostEnd>(std::move(*host));
}

std::string spec_help() {
  std::string text;
  for (const Kind& kind : kinds()) text += kind.help;
  text += "  Each takes fault='FAULT FAULT...', what it does wrong; see Faults below.\n";
  return text;
}

}  // namespace usbloop::device_sim
