#include "usbredir/capture/capturing_host.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "usbredir/capture/reader.h"
#include "usbredir/capture/test_support.h"
#include "usbredir/capture/tshark.h"

using namespace usbloop;
using namespace usbloop::capture;
using namespace std::chrono_literals;

namespace {

/// A host end that takes a few bytes at a time, and answers each request of the guest.
class SlowHost final : public usbredir::HostEnd, public usbredir::PacketHandler {
 public:
  SlowHost() : parser({}, *this) {}
  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return description; }
  void set_wake(std::function<void()>) override {}
  [[nodiscard]] bool wants_input() const override { return true; }
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override {
    constexpr std::size_t kPortion = 5;
    return parser.feed(bytes.first(std::min(kPortion, bytes.size())));
  }
  [[nodiscard]] std::span<const std::byte> pending() const override { return parser.pending(); }
  void consume(std::size_t count) override { parser.consume(count); }
  [[nodiscard]] usbredir::HostState state() const override { return usbredir::HostState::in_use; }
  [[nodiscard]] Result<> outcome() const override { return {}; }
  void disconnect() override {}

  void on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload) override {
    const auto answer = test::bytes({18, 1});
    usb_redir_control_packet_header reply = header;
    reply.length = static_cast<std::uint16_t>(answer.size());
    parser.send(id, reply, answer);
  }

  usbredir::DeviceDescription description;
  usbredir::Parser parser;
};

}  // namespace

TEST_CASE("all that passes is recorded once, requests before their answers, however it is taken") {
  const test::TestFolder folder;
  CaptureOptions options;
  options.path = folder.path() / "host.pcapng";
  auto file = CaptureFile::create(options, nullptr);
  REQUIRE(file);
  {
    const auto host = capture_host(std::make_unique<SlowHost>(), **file);
    usbredir::PacketHandler nobody;
    usbredir::ParserOptions guest_options;
    guest_options.side = usbredir::Side::usb_guest;
    usbredir::Parser guest(guest_options, nobody);
    for (std::uint64_t id = 1; id <= 3; ++id) {
      if (id > 1) guest.send(id, usb_redir_control_packet_header{0x80, 6, 0x80, 0, 0x0100, 0, 18});
      while (!guest.pending().empty()) {
        const auto taken = host->receive(guest.pending());
        REQUIRE(taken);
        guest.consume(*taken);
      }
      while (!host->pending().empty()) {
        const auto piece = host->pending().first(std::min<std::size_t>(3, host->pending().size()));
        REQUIRE(guest.feed(piece));
        host->consume(piece.size());
      }
    }
    // One that is never answered.
    guest.send(9, usb_redir_bulk_packet_header{0x81, 0, 512, 0, 0});
    while (!guest.pending().empty()) {
      const auto taken = host->receive(guest.pending());
      REQUIRE(taken);
      guest.consume(*taken);
    }
  }
  REQUIRE((*file)->close(10s));
  std::ifstream in(options.path, std::ios::binary);
  CaptureReader reader(in);
  std::vector<Urb> urbs;
  for (auto record = reader.next(); record && *record; record = reader.next()) urbs.push_back((*record)->urb);
  REQUIRE(urbs.size() == 6);
  test::check_paired(urbs);
  CHECK(urbs[0].event == Event::submit);
  CHECK(urbs[1].data == test::bytes({18, 1}));
  CHECK(urbs[5].id == 9);
  CHECK(urbs[5].status == -108);
}
