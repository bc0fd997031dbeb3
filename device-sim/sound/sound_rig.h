#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device-sim/emulation/device_rig.h"
#include "device-sim/sound/audio_function.h"

// A microphone or a speaker at a guest, for tests; no part of the library.
namespace usbloop::device_sim::test::sound {

/// What the host takes for the time.
inline Time sound_time{};
inline Time tell_sound_time() { return sound_time; }

inline constexpr std::uint8_t kCurrent = 0x81, kLeast = 0x82, kMost = 0x83, kResolution = 0x84, kSet = 0x01;
inline constexpr std::uint16_t kMuteOfAll = 0x0100, kVolumeOfAll = 0x0200, kRateOfEndpoint = 0x0100;
inline constexpr std::uint16_t kFeatureIndex = kSoundFeatureUnit << 8;

inline std::vector<std::byte> little(std::uint32_t value, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(value >> 8 * i);
  return bytes;
}

inline std::vector<std::int16_t> samples_of(std::span<const std::byte> bytes) {
  std::vector<std::int16_t> samples;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    samples.push_back(static_cast<std::int16_t>(std::to_integer<int>(bytes[at]) |
                                                static_cast<int>(std::to_integer<unsigned>(bytes[at + 1]) << 8)));
  }
  return samples;
}

struct SoundRig : DeviceRig {
  explicit SoundRig(std::unique_ptr<Device> device) {
    sound_time = Time(std::chrono::hours(1));
    plug(std::move(device), tell_sound_time);
    configure();
  }

  std::uint8_t select(std::uint8_t alternate) {
    guest.parser.send(++id, usb_redir_set_alt_setting_header{kSoundStreamInterface, alternate});
    return reply().status;
  }
  std::uint8_t start(std::uint8_t endpoint) {
    guest.parser.send(++id, usb_redir_start_iso_stream_header{endpoint, 8, 4});
    return reply().status;
  }
  void stop(std::uint8_t endpoint) {
    guest.parser.send(++id, usb_redir_stop_iso_stream_header{endpoint});
    CHECK(int{reply().status} == usb_redir_success);
  }
  void pass(Time::duration time) {
    sound_time += time;
    host->look();
    exchange();
  }
  void play(std::uint8_t endpoint, std::span<const std::byte> data) {
    const auto size = static_cast<std::uint16_t>(data.size());
    guest.parser.send(++id, usb_redir_iso_packet_header{endpoint, 0, size}, data);
    exchange();
  }

  /// The answer to a GET of the feature unit; empty: a stall.
  std::vector<std::byte> get(std::uint8_t request, std::uint16_t value) {
    return control_in(0xa1, request, value, kFeatureIndex, 8).data;
  }
  bool set(std::uint16_t value, std::span<const std::byte> data, std::uint16_t index = kFeatureIndex) {
    return control_out(0x21, kSet, value, index, data).status == usb_redir_success;
  }
};

}  // namespace usbloop::device_sim::test::sound
