#pragma once

#include <memory>
#include <optional>

#include "device-sim/emulation/device.h"
#include "device-sim/emulation/spec.h"

namespace usbloop::device_sim {

inline constexpr auto kMicrophoneHelp =
    "  microphone[,tone=HERTZ][,channels=1|2][,id=VVVV:PPPP][,speed=full|high][,serial=TEXT]\n"
    "      A microphone (UAC 1.0) of 48 kHz and 16 bits that hears a tone of 20 to 20000 Hz (440), with mute and\n"
    "      volume. id defaults to 0d8c:0005, channels to 1.\n";
inline constexpr auto kSpeakerHelp =
    "  speaker[,file=FILE.wav][,seconds=N][,channels=1|2][,id=VVVV:PPPP][,speed=full|high][,serial=TEXT]\n"
    "      A speaker (UAC 1.0) of 48 kHz and 16 bits, with mute and volume. What the guest plays is in the WAV file,\n"
    "      N seconds of it at most (as many as 4 GiB hold). id defaults to 0d8c:0012, channels to 2.\n";

/// Makes a Microphone from `microphone,...`.
Result<std::unique_ptr<Device>> make_microphone(const DeviceSpec& spec, std::optional<UsbId> default_id);
/// Makes a Speaker from `speaker,...`. The file is made anew.
Result<std::unique_ptr<Device>> make_speaker(const DeviceSpec& spec, std::optional<UsbId> default_id);

}  // namespace usbloop::device_sim
