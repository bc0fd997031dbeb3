#include "usbredir/capture/tshark.h"

#include <doctest/doctest.h>

#include "common/test_text.h"
#include "usbredir/capture/capture_file.h"
#include "usbredir/capture/test_support.h"

// Captures as Wireshark reads them. The capture of a stick and a real guest is in e2e/capture_test.cpp.

using namespace usbloop;
using namespace usbloop::capture;
using testing::contains;
using namespace std::chrono_literals;

namespace {

/// The capture of a session made by hand.
class Played {
 public:
  explicit Played(void (*play)(test::HandMadeSession&)) {
    test::need_tshark();
    CaptureOptions options;
    options.path = path();
    options.application = "tshark_test";
    auto file = CaptureFile::create(options, [](const Error& error) { FAIL(error.message()); });
    REQUIRE(file);
    usbredir::DeviceDescription description;
    description.vendor_id = 0x1234;
    description.product_id = 0x5678;
    description.product = "Played";
    auto& device = (*file)->add(description);
    test::HandMadeSession session([&](Urb&& urb) {
      pairs_ += urb.event == Event::submit ? 1U : 0U;
      (*file)->record(device, std::move(urb));
    });
    play(session);
    (*file)->remove(device);
    REQUIRE((*file)->close(10s));
  }

  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "played.pcapng"; }
  [[nodiscard]] std::size_t count(const std::string& filter) const { return test::count_records(path(), filter); }
  /// Transfers that were begun.
  [[nodiscard]] std::size_t pairs() const { return pairs_; }

 private:
  test::TestFolder folder_;
  std::size_t pairs_ = 0;
};

void check_wholesome(const Played& played) {
  CHECK(played.count("_ws.malformed") == 0);
  CHECK(played.count("_ws.expert.severity >= 0x600000") == 0);
  CHECK(played.count("usb") == 2 * played.pairs());
  CHECK(played.count("usb.urb_type == 'S'") == played.pairs());
  CHECK(played.count("usb.urb_type == 'C'") == played.pairs());
  // tshark itself finds the other half of each transfer.
  CHECK(played.count("usb.request_in || usb.response_in") == 2 * played.pairs());
  CHECK(played.count("frame.time_delta < 0") == 0);
}

}  // namespace

TEST_CASE("tshark decodes a keyboard: its descriptors, its report descriptor, its keys") {
  const Played played(test::play_keyboard);
  check_wholesome(played);
  CHECK(played.count("usbhid.item.main.variable") == 1);
  CHECK(played.count("usbhid.setup.bRequest") == 2);
  const auto keys = test::tshark(played.path(), {"-Y", "usb.transfer_type == 1 && usb.urb_type == 'C'", "-T", "fields",
                                                 "-e", "usbhid.data", "-e", "usb.urb_status"});
  CHECK_MESSAGE(contains(keys, "0000040000000000\t0\n"), keys);
  CHECK_MESSAGE(contains(keys, "0000050000000000\t0\n"), keys);
}

TEST_CASE("tshark decodes a camera: its class descriptors, its probe, its isochronous packets") {
  const Played played(test::play_camera);
  check_wholesome(played);
  CHECK(played.count("usbvideo.format.index") > 0);
  CHECK(played.count("usbvideo.setup.bRequest") == 3);
  CHECK(played.count("usbvideo.probe.maxVideoFrameSize == 153600") == 3);  // set, read, committed
  const auto packets =
      test::tshark(played.path(), {"-Y", "usb.transfer_type == 0 && usb.urb_type == 'C'", "-T", "fields", "-e",
                                   "usb.iso.numdesc", "-e", "usb.iso.iso_status", "-e", "usb.urb_len"});
  CHECK_MESSAGE(contains(packets, "16\t0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\t"), packets);
  const auto places =
      test::tshark(played.path(), {"-Y", "usb.iso.iso_off == 800", "-T", "fields", "-e", "usb.iso.iso_len"});
  CHECK_MESSAGE(contains(places, "800,801,802,2,804"), places);
}

TEST_CASE("tshark tells which device a record is of, and what is no transfer") {
  const Played played(test::play_keyboard);
  const auto first = test::tshark(
      played.path(), {"-c", "1", "-T", "fields", "-e", "frame.interface_description", "-e", "frame.comment"});
  CHECK_MESSAGE(contains(first, "1234:5678 \"Played\""), first);
  CHECK_MESSAGE(contains(first, "plugged in at low speed"), first);
}

namespace {

/// The longest transfer that a guest side may send, and one that asks for as much.
void play_long_transfer(test::HandMadeSession& session) {
  std::vector<std::byte> data(usbredir::PacketLimits{}.data, std::byte{0x5a});
  usb_redir_bulk_packet_header header{0x02, 0, static_cast<std::uint16_t>(data.size()), 0,
                                      static_cast<std::uint16_t>(data.size() >> 16)};
  session.guest.send(1, header, data);
  session.exchange();
  session.host.send(1, header);
  session.exchange();
}

}  // namespace

TEST_CASE("tshark reads the longest transfer that there is") {
  const Played played(play_long_transfer);
  check_wholesome(played);
  CHECK(played.count("usb.urb_len == 4194304 && frame.cap_len == 4194368") == 1);
}
