#include "device-sim/camera.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "common/test_text.h"
#include "device-sim/device_rig.h"
#include "device-sim/spec.h"
#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using namespace std::chrono_literals;
using device_sim::test::DeviceRig;
using device_sim::test::Guest;
using device_sim::test::Reply;

namespace {

/// What the host takes for the time.
Time the_time;
Time tell_time() { return the_time; }

constexpr std::uint16_t kProbe = 0x0100, kCommit = 0x0200;
constexpr std::uint8_t kSet = 0x01, kGet = 0x81;

/// The 26 bytes of PROBE and COMMIT.
std::vector<std::byte> mode(std::uint8_t format, std::uint8_t frame, std::uint32_t interval) {
  std::vector<std::byte> bytes(26);
  bytes[2] = std::byte{format};
  bytes[3] = std::byte{frame};
  std::memcpy(bytes.data() + 4, &interval, sizeof interval);
  return bytes;
}

std::uint32_t word(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// A camera and a guest with a cable between them.
struct CameraRig : DeviceRig {
  explicit CameraRig(VideoTransfers transfers = VideoTransfers::bulk) {
    the_time = Time(1h);
    CameraOptions options;
    options.transfers = transfers;
    plug(std::make_unique<Camera>(options), tell_time);
    configure();
  }

  Reply get(std::uint8_t request, std::uint16_t value, std::uint16_t index = 1, std::uint16_t length = 64) {
    return control_in(0xa1, request, value, index, length);
  }

  std::uint8_t set(std::uint16_t value, std::span<const std::byte> data, std::uint16_t index = 1,
                   std::uint8_t type = 0x21, std::uint8_t request = kSet) {
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
      REQUIRE(bytes.size() <= 640 * 480 * 2);
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
std::uint32_t strip(std::span<const std::byte> picture, std::size_t width, std::size_t line) {
  std::uint32_t value = 0;
  for (std::size_t bit = 0; bit < 32; ++bit) {
    const auto luma = std::to_integer<unsigned>(picture[((line * 8 + 4) * width + bit * 8 + 4) * 2]);
    CHECK((luma == 16 || luma == 235));
    value = value << 1 | (luma > 128 ? 1 : 0);
  }
  return value;
}

std::uint32_t sum_below_strip(std::span<const std::byte> picture, std::size_t width) {
  std::uint32_t sum = 2166136261;
  for (std::size_t at = 24 * width * 2; at < picture.size(); at += 4) sum = (sum ^ word(picture, at)) * 16777619;
  return sum;
}

void check_picture(std::span<const std::byte> picture, std::size_t width, std::size_t height, std::uint32_t number) {
  REQUIRE(picture.size() == width * height * 2);
  CHECK(strip(picture, width, 0) == number);
  CHECK(strip(picture, width, 2) == sum_below_strip(picture, width));
}

}  // namespace

TEST_CASE("a camera proposes the nearest mode that it has, and takes no other") {
  CameraRig rig;
  const auto preset = rig.get(0x87, kProbe).data;
  REQUIRE(preset.size() == 26);
  CHECK(word(preset, 4) == 333333);
  CHECK(word(preset, 18) == 640 * 480 * 2);
  CHECK(rig.get(0x85, kProbe).data == std::vector{std::byte{26}, std::byte{0}});
  CHECK(rig.get(0x86, kCommit).data == std::vector{std::byte{3}});
  CHECK(word(rig.get(0x82, kProbe).data, 4) == 333333);
  CHECK(word(rig.get(0x83, kProbe).data, 4) == 2000000);

  CHECK(rig.set(kProbe, mode(1, 1, 700000)) == usb_redir_success);
  const auto small = rig.get(kGet, kProbe).data;
  CHECK(small[3] == std::byte{1});
  CHECK(word(small, 4) == 666666);
  CHECK(word(small, 18) == 320 * 240 * 2);
  CHECK(word(small, 22) == kBulkPayload);
  CHECK(rig.set(kProbe, mode(9, 200, 0xffffffff)) == usb_redir_success);
  const auto far = rig.get(kGet, kProbe).data;
  CHECK(far[2] == std::byte{1});
  CHECK(far[3] == std::byte{2});
  CHECK(word(far, 4) == 2000000);
  CHECK(word(rig.get(kGet, kCommit).data, 4) == 333333);  // nothing was committed

  CHECK(rig.set(kCommit, small) == usb_redir_success);
  CHECK(rig.get(kGet, kCommit).data == small);
}

TEST_CASE("requests that make no sense are stalled, with the reason to be read once, and start nothing") {
  CameraRig rig;
  constexpr std::uint16_t kError = 0x0200;
  const auto reason = [&] { return std::to_integer<int>(rig.get(kGet, kError, 0).data.at(0)); };
  CHECK(reason() == 0);
  for (const auto& bytes : {mode(2, 1, 333333), mode(0, 1, 333333), mode(1, 0, 333333), mode(1, 3, 333333),
                            mode(1, 1, 333334), mode(1, 1, 0)}) {
    CHECK(rig.set(kCommit, bytes) == usb_redir_stall);
    CHECK(reason() == 4);
    CHECK(reason() == 0);
  }
  const auto sound = mode(1, 1, 333333);
  for (const std::size_t size : {0U, 1U, 25U, 27U, 34U, 4096U}) {
    std::vector<std::byte> bytes = sound;
    bytes.resize(size);
    CHECK(rig.set(kCommit, bytes) == usb_redir_stall);
    CHECK(rig.set(kProbe, bytes) == usb_redir_stall);
    CHECK(reason() == 4);
  }
  for (const int index : {0x0000, 0x0101, 0x0002, 0xff01})
    CHECK(rig.set(kCommit, sound, static_cast<std::uint16_t>(index)) != 0);
  for (const int value : {0x0000, 0x0001, 0x0201, 0x0300, 0xffff})
    CHECK(rig.set(static_cast<std::uint16_t>(value), sound) != 0);
  CHECK(reason() == 6);
  CHECK(rig.set(kCommit, sound, 1, 0x22) == usb_redir_stall);        // to an endpoint
  CHECK(rig.set(kCommit, sound, 1, 0x41) == usb_redir_stall);        // of the vendor
  CHECK(rig.set(kCommit, sound, 1, 0x21, 0x02) == usb_redir_stall);  // no such request
  for (const int request : {0x80, 0x84, 0x88, 0xff, 0x01})
    CHECK(rig.get(static_cast<std::uint8_t>(request), kProbe).status != 0);
  CHECK(reason() == 7);
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  rig.pass(1s);
  CHECK(rig.guest.replies.empty());
}

TEST_CASE("pictures come by bulk when they are due, numbered and with their checksum, whatever is asked for at once") {
  for (const std::uint32_t size : {16384U, 512U, 1024U, 65536U, 13U}) {
    CAPTURE(size);
    CameraRig rig;
    REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
    const auto first = rig.picture(size);
    const bool bit = rig.id_bit;
    check_picture(first, 320, 240, 0);
    CHECK(strip(first, 320, 1) == 0);

    rig.guest.replies.clear();
    rig.ask(size);
    rig.pass(33ms);
    CHECK(rig.guest.replies.empty());  // the next one is not due before 33.3 ms
    rig.guest.parser.send_cancel_data_packet(rig.id);
    rig.exchange();
    CHECK(rig.guest.replies.at(0).status == usb_redir_cancelled);
    rig.pass(1ms);
    const auto second = rig.picture(size);
    check_picture(second, 320, 240, 1);
    CHECK(strip(second, 320, 1) == 34);
    CHECK(rig.id_bit != bit);
  }
}

TEST_CASE("a payload that ends with a transfer is ended by an empty one where it is not the longest") {
  CameraRig rig;
  REQUIRE(rig.set(kCommit, mode(1, 1, 333333)) == usb_redir_success);
  // 153600 bytes are nine payloads of 16382 and one of 6162, with its header 6164: four of 1541.
  for (int i = 0; i < 9; ++i) rig.ask(kBulkPayload);
  rig.guest.replies.clear();
  for (int i = 0; i < 5; ++i) rig.ask(1541);
  REQUIRE(rig.guest.replies.size() == 5);
  CHECK(rig.guest.replies[3].data.size() == 1541);
  CHECK(rig.guest.replies[4].data.empty());
}

TEST_CASE("pictures that nobody fetched are left out, and a guest that stops gets none") {
  CameraRig rig;
  REQUIRE(rig.set(kCommit, mode(1, 2, 333333)) == usb_redir_success);
  check_picture(rig.picture(kBulkPayload), 640, 480, 0);
  rig.pass(1s);
  check_picture(rig.picture(kBulkPayload), 640, 480, 1);
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  CHECK(rig.guest.replies.empty());

  rig.guest.parser.send_cancel_data_packet(rig.id);
  CHECK(rig.set(0, {}, kVideoEndpoint, 0x02) == usb_redir_success);  // CLEAR_FEATURE(ENDPOINT_HALT)
  rig.guest.replies.clear();
  rig.ask(kBulkPayload);
  rig.pass(1s);
  CHECK(rig.guest.replies.empty());
  // With a new commit the numbers begin anew, in the middle of a picture too.
  for (int i = 0; i < 3; ++i) {
    rig.guest.parser.send_cancel_data_packet(rig.id);
    REQUIRE(rig.set(kCommit, mode(1, 1, 1000000)) == usb_redir_success);
    rig.ask(kBulkPayload);
  }
  REQUIRE(rig.set(kCommit, mode(1, 1, 1000000)) == usb_redir_success);
  check_picture(rig.picture(kBulkPayload), 320, 240, 0);
}

TEST_CASE("isochronous pictures come by the clock, in packets of the alternate setting") {
  for (std::uint8_t alternate = 1; alternate <= kIsoSettings.size(); ++alternate) {
    CAPTURE(alternate);
    CameraRig rig(VideoTransfers::isochronous);
    REQUIRE(rig.set(kCommit, mode(1, 1, 2000000)) == usb_redir_success);
    CHECK(rig.start_iso() == usb_redir_inval);  // there is no endpoint yet
    CHECK(rig.select(alternate).status == usb_redir_success);
    const std::size_t packet = kIsoSettings[alternate - 1U].bytes();
    CHECK(std::size_t{rig.guest.endpoints.max_packet_size[17]} == packet);
    rig.pass(100ms);
    CHECK(rig.guest.isochronous.empty());
    CHECK(rig.start_iso() == usb_redir_success);
    for (int i = 0; i < 150; ++i) rig.pass(4ms);
    CHECK(rig.guest.isochronous.size() ==
          600'000'000U / ((125'000U << (kIsoSettings[alternate - 1U].exponent - 1)) * 8 / 7) + 1);

    std::vector<std::byte> picture;
    std::uint32_t number = 0;
    for (const auto& each : rig.guest.isochronous) {
      REQUIRE(each.size() <= packet);
      picture.insert(picture.end(), each.begin() + 2, each.end());
      if ((each[1] & std::byte{2}) == std::byte{0}) continue;
      check_picture(picture, 320, 240, number++);
      picture.clear();
    }
    // Due at 0, 200, 400 and 600 ms of 700. The smallest packets need 171 ms for each.
    CHECK(number == (alternate == 1 ? 3 : 4));
  }
}

TEST_CASE("the payload that an isochronous camera tells asks for as few packets as a mode needs") {
  CameraRig rig(VideoTransfers::isochronous);
  const auto payload = [&](std::uint8_t frame, std::uint32_t interval) {
    REQUIRE(rig.set(kProbe, mode(1, frame, interval)) == usb_redir_success);
    return word(rig.get(kGet, kProbe).data, 22);
  };
  CHECK(payload(1, 2000000) == 1024);  // 0.8 MB/s, of 1 MB/s
  CHECK(payload(1, 1000000) == 2048);
  CHECK(payload(1, 666666) == 3048);
  CHECK(payload(1, 333333) == 3054);
  CHECK(payload(2, 1000000) == 3060);
  CHECK(payload(2, 333333) == 3072);  // 18 MB/s, of 24 MB/s
}

TEST_CASE("an isochronous stream stops with its packet, its setting and a reset, and may be started twice") {
  CameraRig rig(VideoTransfers::isochronous);
  const auto comes = [&] {
    rig.guest.isochronous.clear();
    rig.pass(10ms);
    return !rig.guest.isochronous.empty();
  };
  const auto stop = [&] {
    rig.guest.parser.send(++rig.id, usb_redir_stop_iso_stream_header{kVideoEndpoint});
    return rig.reply().status;
  };
  REQUIRE(rig.select(2).status == usb_redir_success);
  CHECK(rig.start_iso(0x82) == usb_redir_inval);
  CHECK(rig.start_iso(0x01) == usb_redir_inval);
  CHECK(stop() == usb_redir_success);
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(comes());
  CHECK(stop() == usb_redir_success);
  CHECK_FALSE(comes());
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(comes());
  REQUIRE(rig.select(0).status == usb_redir_success);
  CHECK_FALSE(comes());
  CHECK(rig.select(7).status == usb_redir_stall);
  REQUIRE(rig.select(6).status == usb_redir_success);
  CHECK(rig.start_iso() == usb_redir_success);
  CHECK(comes());
  rig.guest.parser.send_reset();
  rig.exchange();
  CHECK_FALSE(comes());
}

TEST_CASE("a guest that does not take its isochronous packets costs a bounded memory, and late ones are left out") {
  CameraRig rig(VideoTransfers::isochronous);
  REQUIRE(rig.select(6).status == usb_redir_success);
  REQUIRE(rig.start_iso() == usb_redir_success);
  for (int i = 0; i < 1000; ++i) {
    the_time += 10ms;
    rig.host->look();
  }
  CHECK_FALSE(rig.host->wants_input());
  rig.exchange();
  std::size_t bytes = 0;
  for (const auto& packet : rig.guest.isochronous) bytes += packet.size();
  CHECK(bytes < 3 * 1024 * 1024);
  CHECK(bytes > 1000 * 1000);
  rig.guest.isochronous.clear();
  rig.pass(10s);
  CHECK(rig.guest.isochronous.size() <= 321);  // 40 ms
}

TEST_CASE("a camera wakes its holder when a picture is due, and never while nobody streams") {
  CameraOptions options;
  auto host = EmulatedHost::make(std::make_unique<Camera>(options));
  REQUIRE(host);
  std::mutex mutex;
  std::condition_variable changed;
  int wakes = 0;
  (*host)->set_wake([&] {
    const std::lock_guard lock(mutex);
    ++wakes;
    changed.notify_all();
  });
  Guest guest;
  test::exchange(**host, guest);
  guest.parser.send_reset();
  guest.parser.send(1, usb_redir_set_configuration_header{1});
  test::exchange(**host, guest);
  CHECK(wakes == 0);
  const auto commit = mode(1, 1, 333333);
  guest.parser.send(2, usb_redir_control_packet_header{0, kSet, 0x21, 0, kCommit, 1, 26}, commit);
  // Ten payloads are the first picture; the eleventh waits for the second one.
  for (std::uint64_t id = 3; id < 14; ++id)
    guest.parser.send(id, usb_redir_bulk_packet_header{kVideoEndpoint, 0, 16384, 0, 0});
  test::exchange(**host, guest);
  CHECK(guest.replies.size() == 12);
  {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 20s, [&] { return wakes > 0; }));
  }
  (*host)->look();
  test::exchange(**host, guest);
  CHECK(guest.replies.size() == 13);
  (*host)->set_wake(nullptr);
}

TEST_CASE("a camera in words: ids, serial number and transfers, and what it has not is refused by name") {
  using usbloop::testing::contains;
  const auto usual = make_host_end("camera");
  REQUIRE(usual);
  CHECK((*usual)->device().label() == "13d3:5406 \"IMC Networks Integrated Camera\" (emulated camera)");
  const auto other = make_host_end("camera,transfers=isochronous,id=1:2,serial=C1");
  REQUIRE(other);
  CHECK((*other)->device().id() == "0001:0002");
  CHECK((*other)->device().serial == "C1");
  CHECK((*make_host_end("camera", UsbId{3, 4}))->device().id() == "0003:0004");
  const auto cause = [](const char* text) { return make_host_end(text).error().cause; };
  CHECK(contains(cause("camera,transfers=iso"), "transfers=iso is no kind of transfer"));
  CHECK(contains(cause("camera,transfers"), "is no kind of transfer"));
  CHECK(contains(cause("camera,id=x"), "VENDOR:PRODUCT"));
  CHECK(contains(cause("camera,serial=a b"), "126"));
  CHECK(contains(cause("camera,image=x"), "no option 'image'"));
  CHECK(contains(spec_help(), "camera[,transfers=bulk|isochronous]"));
}
