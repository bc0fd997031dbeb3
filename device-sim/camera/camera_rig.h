#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "device-sim/camera/camera.h"
#include "device-sim/emulation/device_rig.h"

// A camera at a guest, for tests; no part of the library.
namespace usbloop::device_sim::test::camera {

/// What the host takes for the time.
inline Time the_time;
inline Time tell_time() { return the_time; }

inline constexpr std::uint16_t kProbe = 0x0100, kCommit = 0x0200;
inline constexpr std::uint8_t kSetRequest = 0x01, kGetRequest = 0x81;

/// The 26 bytes of PROBE and COMMIT.
inline std::vector<std::byte> mode(std::uint8_t format, std::uint8_t frame, std::uint32_t interval) {
  std::vector<std::byte> bytes(26);
  bytes[2] = std::byte{format};
  bytes[3] = std::byte{frame};
  std::memcpy(bytes.data() + 4, &interval, sizeof interval);
  return bytes;
}

inline std::uint32_t word(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// A camera and a guest with a cable between them.
struct CameraRig : DeviceRig {
  explicit CameraRig(VideoTransfers transfers = VideoTransfers::bulk, std::shared_ptr<const PictureFiles> files = {}) {
    the_time = Time(std::chrono::hours(1));
    CameraOptions options;
    options.transfers = transfers;
    options.files = std::move(files);
    plug(std::make_unique<Camera>(options), tell_time);
    configure();
  }

  Reply get(std::uint8_t request, std::uint16_t value, std::uint16_t index = 1, std::uint16_t length = 64) {
    return control_in(0xa1, request, value, index, length);
  }

  std::uint8_t set(std::uint16_t value, std::span<const std::byte> data, std::uint16_t index = 1,
                   std::uint8_t type = 0x21, std::uint8_t request = kSetRequest) {
    return control_out(type, request, value, index, data).status;
  }

  void ask(std::uint32_t size) {
    guest.parser.send(++id, usb_redir_bulk_packet_header{kVideoEndpoint, 0, static_cast<std::uint16_t>(size), 0,
                                                         static_cast<std::uint16_t>(size >> 16)});
    exchange();
  }

  void pass(Time::duration time) {
    the_time += time;
    host->look();
    exchange();
  }

  /// One picture, by requests of `size` bytes, as a driver puts payloads together.
  std::vector<std::byte> picture(std::uint32_t size) {
    std::vector<std::byte> bytes;
    std::size_t payload = 0;
    for (bool last = false; !last || payload > 0;) {
      guest.replies.clear();
      ask(size);
      REQUIRE(guest.replies.size() == 1);
      std::span<const std::byte> data = guest.replies.front().data;
      const bool ends = data.size() < size || payload + data.size() >= kBulkPayload;
      if (payload == 0 && !data.empty()) {
        REQUIRE(data.size() >= kPayloadHeader);
        CHECK(data[0] == std::byte{kPayloadHeader});
        last = (data[1] & std::byte{2}) != std::byte{0};
        id_bit = (data[1] & std::byte{1}) != std::byte{0};
        data = data.subspan(kPayloadHeader);
      }
      payload = ends ? 0 : payload + guest.replies.front().data.size();
      bytes.insert(bytes.end(), data.begin(), data.end());
      REQUIRE(bytes.size() <= 1280 * 720 * 2);
    }
    return bytes;
  }

  usb_redir_alt_setting_status_header select(std::uint8_t alternate) {
    guest.parser.send(++id, usb_redir_set_alt_setting_header{1, alternate});
    return {reply().status, 1, alternate};
  }

  std::uint8_t start_iso(std::uint8_t endpoint = kVideoEndpoint) {
    guest.parser.send(++id, usb_redir_start_iso_stream_header{endpoint, 32, 4});
    return reply().status;
  }

  bool id_bit = false;
};

/// A word of the strip at the top of a picture.
inline std::uint32_t strip(std::span<const std::byte> picture, std::size_t width, std::size_t line) {
  std::uint32_t value = 0;
  for (std::size_t bit = 0; bit < 32; ++bit) {
    const auto luma = std::to_integer<unsigned>(picture[((line * 8 + 4) * width + bit * 8 + 4) * 2]);
    CHECK((luma == 16 || luma == 235));
    value = value << 1 | (luma > 128 ? 1 : 0);
  }
  return value;
}

inline std::uint32_t sum_below_strip(std::span<const std::byte> picture, std::size_t width) {
  std::uint32_t sum = 2166136261;
  for (std::size_t at = 24 * width * 2; at < picture.size(); at += 4) sum = (sum ^ word(picture, at)) * 16777619;
  return sum;
}

inline void check_picture(std::span<const std::byte> picture, std::size_t width, std::size_t height,
                          std::uint32_t number) {
  REQUIRE(picture.size() == width * height * 2);
  CHECK(strip(picture, width, 0) == number);
  CHECK(strip(picture, width, 2) == sum_below_strip(picture, width));
}

}  // namespace usbloop::device_sim::test::camera
