#include "device-sim/spec.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "device-sim/audio_spec.h"
#include "device-sim/camera_spec.h"
#include "device-sim/emulated_host.h"
#include "device-sim/faulty_device.h"
#include "device-sim/input_spec.h"
#include "device-sim/model_spec.h"
#include "device-sim/network_spec.h"
#include "device-sim/replay_spec.h"
#include "device-sim/serial_spec.h"
#include "device-sim/spec_options.h"
#include "device-sim/storage_spec.h"

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
      {"model", kModelHelp, {"socket"}, make_model},
      {"replay", kReplayHelp, {"file", "device", "speed"}, make_replay}};
  return kKinds;
}

auto refuse(std::string_view text, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, kEmulateOperation, "'" + std::string(text) + "'", std::move(cause),
                    std::move(hint));
}

/// Splits at single commas; a doubled one stands for itself.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      parts.back().push_back(text[i]);
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      parts.back().push_back(text[i++]);
    } else {
      parts.emplace_back();
    }
  }
  return parts;
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

std::optional<UsbId> parse_usb_id(std::string_view text) {
  const auto number = [](std::string_view digits) -> std::optional<std::uint16_t> {
    std::uint16_t value = 0;
    if (digits.empty() || digits.size() > 4) return std::nullopt;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto vendor = number(text.substr(0, colon));
  const auto product = number(text.substr(colon + 1));
  if (!vendor || !product) return std::nullopt;
  return UsbId{*vendor, *product};
}

Result<DeviceSpec> parse_spec(std::string_view text) {
  auto parts = split(text);
  DeviceSpec spec;
  spec.kind = parts.front();
  if (spec.kind.empty()) return refuse(text, "no kind of device is given", "For example: stick,image=disk.img");
  for (auto part = parts.begin() + 1; part != parts.end(); ++part) {
    const auto equals = part->find('=');
    std::string name = part->substr(0, equals);
    std::string value = equals == std::string::npos ? "" : part->substr(equals + 1);
    if (name.empty()) return refuse(text, "an option is empty", "Write a comma inside a value twice.");
    if (equals != std::string::npos && value.empty()) return refuse(text, "the option " + name + "= has no value");
    if (!spec.options.emplace(name, std::move(value)).second)
      return refuse(text, "the option " + name + " is given twice");
  }
  return spec;
}

Result<std::unique_ptr<Device>> make_device(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  const auto kind =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& candidate) { return spec.kind == candidate.name; });
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
