#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "device-sim/camera/camera.h"
#include "device-sim/emulation/emulated_host.h"
#include "device-sim/fuzz/targets.h"
#include "usbredir/parser.h"

namespace usbloop::device_sim::fuzz {
namespace {

/// The time goes on when the input says so.
thread_local Time camera_time;
Time tell_camera_time() { return camera_time; }

/// A guest that has configured a camera, and looks at what it gets.
struct CameraGuest : usbredir::PacketHandler {
  explicit CameraGuest(VideoTransfers transfers) : parser(options(), *this) {
    camera_time = Time(std::chrono::hours(1));
    CameraOptions camera;
    camera.transfers = transfers;
    auto made = EmulatedHost::make(std::make_unique<Camera>(camera), {}, tell_camera_time);
    if (!made) std::abort();
    host = std::move(*made);
    carry();
    parser.send(1, usb_redir_set_configuration_header{1});
    carry();
  }

  static usbredir::ParserOptions options() {
    usbredir::ParserOptions result;
    result.side = usbredir::Side::usb_guest;
    return result;
  }

  void on_bulk(std::uint64_t, const usb_redir_bulk_packet_header&, usbredir::Payload) override {
    if (++answered > asked) std::abort();  // an answer twice
  }
  void on_iso(std::uint64_t, const usb_redir_iso_packet_header& header, usbredir::Payload data) override {
    if (data.size() != header.length || data.size() < kPayloadHeader || data.size() > kIsoSettings.back().bytes()) {
      std::abort();
    }
    const auto length = std::to_integer<std::size_t>(data.bytes()[0]);
    if (length != kPayloadHeader) std::abort();
  }

  void carry() {
    while (!parser.pending().empty() || !host->pending().empty()) {
      while (!host->pending().empty()) {
        if (!parser.feed(host->pending())) std::abort();
        host->consume(host->pending().size());
      }
      if (parser.pending().empty()) continue;
      const auto taken = host->receive(parser.pending());
      if (!taken) std::abort();
      parser.consume(*taken);
    }
  }

  usbredir::Parser parser;
  std::unique_ptr<EmulatedHost> host;
  std::size_t asked = 0;
  std::size_t answered = 0;
};

/// A SET request for a mode, YUYV or by bit 2 of `selector` MJPEG (to be proposed, and never made: that takes long), of
/// which `given` takes the place from bFrameIndex on; more than four bytes set the length too. By bit 3 it is one of
/// the picture's controls instead.
void set_control(CameraGuest& guest, std::uint64_t id, std::uint8_t selector, std::span<const std::byte> given) {
  constexpr std::size_t kFrameAt = 3, kModeLength = 26;
  const auto value = static_cast<std::uint16_t>((selector % 4) << 8);
  if ((selector & 8) != 0) {
    const auto size = static_cast<std::uint16_t>(given.size());
    constexpr std::uint16_t kUnit = kProcessingUnit << 8;
    guest.parser.send(id, usb_redir_control_packet_header{0, 1, 0x21, 0, value, kUnit, size}, given);
    return;
  }
  std::vector<std::byte> data(given.size() > 4 ? given.size() : kModeLength);
  constexpr std::uint8_t kProposesMjpeg = 5;
  data[2] = selector % 8 == kProposesMjpeg ? std::byte{2} : std::byte{1};
  const auto rest = std::span(data).subspan(kFrameAt);
  std::copy_n(given.begin(), std::min(given.size(), rest.size()), rest.begin());
  const auto length = static_cast<std::uint16_t>(data.size());
  guest.parser.send(id, usb_redir_control_packet_header{0, 1, 0x21, 0, value, 1, length}, data);
}

/// A GET request, by the high half of `choice`, to one of the selectors of both interfaces.
void get_control(CameraGuest& guest, std::uint64_t id, std::uint8_t choice) {
  const auto request = static_cast<std::uint8_t>(0x80 | choice >> 4);
  const auto value = static_cast<std::uint16_t>((choice & 3) << 8);
  const auto index = static_cast<std::uint16_t>(choice >> 2 & 1);
  guest.parser.send(id, usb_redir_control_packet_header{0x80, request, 0xa1, 0, value, index, 64});
}

void act(CameraGuest& guest, std::uint64_t id, std::uint8_t what, std::uint8_t value, std::span<const std::byte> data) {
  auto& parser = guest.parser;
  switch (what % 10) {
    case 0:
      parser.send_reset();
      parser.send(id, usb_redir_set_configuration_header{static_cast<std::uint8_t>(value % 2)});
      break;
    case 1: parser.send(id, usb_redir_set_alt_setting_header{1, static_cast<std::uint8_t>(value % 8)}); break;
    case 2: parser.send(id, usb_redir_start_iso_stream_header{kVideoEndpoint, value, value}); break;
    case 3: parser.send(id, usb_redir_stop_iso_stream_header{kVideoEndpoint}); break;
    case 4: parser.send(id, usb_redir_control_packet_header{0, 1, 2, 0, 0, kVideoEndpoint, 0}); break;
    case 5: parser.send_cancel_data_packet(id - 1 - value % 8); break;
    case 6: set_control(guest, id, value, data); break;
    case 7:
      camera_time += std::chrono::milliseconds(value);
      guest.host->look();
      break;
    case 9: get_control(guest, id, value); break;
    default:
      parser.send(id, usb_redir_bulk_packet_header{kVideoEndpoint, 0, static_cast<std::uint16_t>(value * 257), 0, 0});
      ++guest.asked;
  }
  guest.carry();
}

}  // namespace

// The first byte chooses how pictures travel. Then what a guest does: one byte what, one byte with what, one byte how
// many bytes of data follow (at most 40).
void camera(std::span<const std::byte> input) {
  if (input.empty()) return;
  const bool is_bulk = (std::to_integer<unsigned>(input[0]) & 1) == 0;
  input = input.subspan(1);
  CameraGuest guest(is_bulk ? VideoTransfers::bulk : VideoTransfers::isochronous);
  constexpr std::uint64_t kMostActs = 400;  // a picture takes time to draw
  for (std::uint64_t id = 10; input.size() >= 3 && id < 10 + kMostActs; ++id) {
    const auto what = std::to_integer<std::uint8_t>(input[0]);
    const auto value = std::to_integer<std::uint8_t>(input[1]);
    const std::size_t size = std::to_integer<std::size_t>(input[2]) % 41;
    const auto data = input.subspan(3, std::min(size, input.size() - 3));
    input = input.subspan(3 + data.size());
    act(guest, id, what, value, data);
  }
  guest.host->disconnect();
  guest.carry();
}

}  // namespace usbloop::device_sim::fuzz
