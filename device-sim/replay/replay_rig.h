#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>

#include "device-sim/emulation/device_rig.h"
#include "device-sim/replay/recording.h"
#include "device-sim/replay/replay_device.h"
#include "device-sim/storage/stick.h"
#include "device-sim/storage/test_support.h"
#include "usbredir/capture/capture_file.h"
#include "usbredir/capture/capturing_host.h"

// A guest whose session is recorded and replayed, for tests; no part of the library.
namespace usbloop::device_sim::test::replay {

inline Time replay_time{};

/// A guest at any host end, which remembers all answers.
struct ReplayGuest {
  explicit ReplayGuest(std::unique_ptr<usbredir::HostEnd> end) : host(std::move(end)) { carry(); }

  /// Carries bytes, and lets ten seconds pass for what comes by the clock.
  void carry() {
    for (int i = 0; i < 4; ++i) {
      exchange(*host, guest);
      replay_time += std::chrono::milliseconds(2500);
      host->look();
    }
    exchange(*host, guest);
  }
  void descriptor(std::uint16_t value, std::uint16_t length, std::uint16_t index = 0) {
    control(0x80, 6, value, index, length);
  }
  void control(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index, std::uint16_t length,
               std::span<const std::byte> data = {}) {
    const auto endpoint = static_cast<std::uint8_t>(type & 0x80);
    guest.parser.send(++id, usb_redir_control_packet_header{endpoint, request, type, 0, value, index, length}, data);
    carry();
  }
  void write(std::uint8_t endpoint, std::span<const std::byte> data) {
    guest.parser.send(++id, usb_redir_bulk_packet_header{endpoint, 0, static_cast<std::uint16_t>(data.size()), 0, 0},
                      data);
    carry();
  }
  void read(std::uint8_t endpoint, std::uint16_t size) {
    guest.parser.send(++id, usb_redir_bulk_packet_header{endpoint, 0, size, 0, 0});
    carry();
  }
  void enumerate() {
    descriptor(0x0100, 64);
    guest.parser.send_reset();
    descriptor(0x0100, 18);
    descriptor(0x0200, 9);
    descriptor(0x0200, 255);
    descriptor(0x0300, 255);
    descriptor(0x0301, 255, 0x0409);
    descriptor(0x0303, 255, 0x0409);
    guest.parser.send(++id, usb_redir_set_configuration_header{1});
    carry();
  }
  void read_block(std::uint32_t block, std::uint32_t tag) {
    const auto command = command_wrapper(access_10(0x28, block, 1), kBlockSize, true, tag);
    write(Stick::kEndpointOut, command);
    read(Stick::kEndpointIn, 512);
    read(Stick::kEndpointIn, 13);
  }
  /// What the guest has been answered, in a form that can be compared.
  [[nodiscard]] std::string answers() const {
    std::ostringstream text;
    const auto show = [&](const Reply& reply) {
      text << int{reply.status} << ":";
      for (const std::byte byte : reply.data) text << std::to_integer<int>(byte) << ' ';
      text << '\n';
    };
    for (const Reply& reply : guest.replies) show(reply);
    text << "reports\n";
    for (const Reply& reply : guest.interrupts) show(reply);
    return text.str();
  }
  [[nodiscard]] std::string trouble() const {
    const auto outcome = host->outcome();
    return host->state() == usbredir::HostState::device_gone && !outcome ? outcome.error().message() : "";
  }

  std::unique_ptr<usbredir::HostEnd> host;
  Guest guest;
  std::uint64_t id = 100;
};

inline std::unique_ptr<usbredir::HostEnd> host_of(std::unique_ptr<Device> device) {
  auto host = EmulatedHost::make(std::move(device), {}, [] { return replay_time; });
  REQUIRE(host);
  return std::move(*host);
}

/// Runs a guest at `device`, recorded in `path`; what it was answered.
template <typename Act>
std::string record(const std::filesystem::path& path, std::unique_ptr<Device> device, const Act& act,
                   std::size_t snap = SIZE_MAX) {
  replay_time = Time{} + std::chrono::seconds(1);
  capture::CaptureOptions options;
  options.path = path;
  options.snap = snap;
  auto file = capture::CaptureFile::create(options, nullptr);
  REQUIRE(file);
  std::string answers;
  {
    ReplayGuest guest(capture::capture_host(host_of(std::move(device)), **file));
    act(guest);
    answers = guest.answers();
  }
  REQUIRE((*file)->close(std::chrono::seconds(10)));
  return answers;
}

inline Result<Recording> load(const std::filesystem::path& path, std::optional<std::uint8_t> device = std::nullopt,
                              std::size_t room = std::size_t{1} << 30) {
  std::ifstream in(path, std::ios::binary);
  return read_recording(in, device, room);
}

inline ReplayGuest replay_of(const std::filesystem::path& path) {
  auto recording = load(path);
  REQUIRE_MESSAGE(recording, recording.error().message());
  auto device = ReplayDevice::make(std::move(*recording), std::nullopt, "stick.pcapng");
  REQUIRE(device);
  return ReplayGuest(host_of(std::move(*device)));
}

}  // namespace usbloop::device_sim::test::replay
