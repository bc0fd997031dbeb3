#include "usbredir/parser.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "usbredir/test_support.h"

using namespace usbloop;
using namespace usbloop::usbredir;
using test::bytes_of;
using test::drain;

namespace {

/// Writes down what comes.
struct Recorder : PacketHandler {
  std::vector<std::string> events;
  std::vector<std::byte> data;
  std::uint64_t last_id = 0;
  usb_redir_device_connect_header connect{};
  usb_redir_ep_info_header endpoints{};

  void on_hello(std::string_view version) override { events.push_back("hello " + std::string(version)); }
  void on_reset() override { events.emplace_back("reset"); }
  void on_set_configuration(std::uint64_t id, const usb_redir_set_configuration_header& header) override {
    last_id = id;
    events.push_back("set_configuration " + std::to_string(header.configuration));
  }
  void on_cancel_data_packet(std::uint64_t id) override { events.push_back("cancel " + std::to_string(id)); }
  void on_filter_reject() override { events.emplace_back("filter_reject"); }
  void on_device_disconnect_ack() override { events.emplace_back("ack"); }
  void on_device_connect(const usb_redir_device_connect_header& header) override {
    connect = header;
    events.emplace_back("connect");
  }
  void on_device_disconnect() override { events.emplace_back("disconnect"); }
  void on_ep_info(const usb_redir_ep_info_header& header) override {
    endpoints = header;
    events.emplace_back("ep_info");
  }
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, Payload payload) override {
    last_id = id;
    data.assign(payload.bytes().begin(), payload.bytes().end());
    events.push_back("bulk " + std::to_string(header.length | header.length_high << 16));
  }
  void on_control(std::uint64_t, const usb_redir_control_packet_header& header, Payload payload) override {
    data.assign(payload.bytes().begin(), payload.bytes().end());
    events.push_back("control " + std::to_string(header.length));
  }
};

/// Two parsers back to back.
struct Pair {
  explicit Pair(ParserOptions host_options = {}, ParserOptions guest_options = {})
      : host((host_options.side = Side::usb_host, host_options), at_host),
        guest((guest_options.side = Side::usb_guest, guest_options), at_guest) {}

  void exchange() {
    for (int round = 0; round < 4; ++round) {
      REQUIRE(guest.feed(drain(host)));
      REQUIRE(host.feed(drain(guest)));
    }
  }

  Recorder at_host, at_guest;
  Parser host, guest;
};

usb_redir_bulk_packet_header bulk_header(std::uint8_t endpoint, std::size_t size) {
  return {endpoint, usb_redir_success, static_cast<std::uint16_t>(size), 0, static_cast<std::uint16_t>(size >> 16)};
}

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
  return bytes;
}

}  // namespace

TEST_CASE("two ends exchange their hellos and then know each other's capabilities") {
  Pair pair;
  CHECK_FALSE(pair.host.peer_known());
  CHECK(pair.host.pending_size() == 80);  // the short header, the version text and one word of capabilities
  pair.exchange();
  CHECK(pair.at_host.events == std::vector<std::string>{"hello usbloop"});
  CHECK(pair.at_guest.events == std::vector<std::string>{"hello usbloop"});
  CHECK(pair.host.peer_has(usb_redir_cap_64bits_ids));
  CHECK_FALSE(pair.host.peer_has(usb_redir_cap_bulk_streams));
}

TEST_CASE("packets keep their content whatever capabilities either side lacks") {
  const std::vector<std::vector<int>> sets = {
      kUsualCapabilities,
      {},
      {usb_redir_cap_64bits_ids},
      {usb_redir_cap_32bits_bulk_length},
      {usb_redir_cap_connect_device_version, usb_redir_cap_ep_info_max_packet_size}};
  for (const auto& host_caps : sets) {
    for (const auto& guest_caps : sets) {
      ParserOptions host_options, guest_options;
      host_options.capabilities = host_caps;
      guest_options.capabilities = guest_caps;
      Pair pair(host_options, guest_options);
      pair.exchange();
      usb_redir_ep_info_header endpoints{};
      endpoints.type[2] = usb_redir_type_bulk;
      pair.host.send(endpoints);
      pair.host.send(usb_redir_device_connect_header{usb_redir_speed_high, 0, 0, 0, 0x951, 0x1666, 0x110});
      pair.guest.send(1234, usb_redir_set_configuration_header{1});
      const auto data = pattern(1000);
      pair.guest.send(1235, bulk_header(0x02, data.size()), data);
      pair.exchange();
      CHECK(int{pair.at_guest.connect.vendor_id} == 0x951);
      CHECK(pair.at_guest.endpoints.type[2] == usb_redir_type_bulk);
      CHECK(pair.at_host.events.back() == "bulk 1000");
      CHECK(pair.at_host.last_id == 1235);
      CHECK(pair.at_host.data == data);
    }
  }
}

TEST_CASE("a bulk packet filled in place has the bytes that the library makes") {
  for (const bool long_ids : {false, true}) {
    for (const bool long_lengths : {false, true}) {
      for (const std::size_t size : {std::size_t{0}, std::size_t{13}, std::size_t{5000}, std::size_t{65535}}) {
        Recorder nobody;
        Parser parser({}, nobody);
        drain(parser);
        const std::uint32_t caps = (long_ids ? 1U << usb_redir_cap_64bits_ids : 0U) |
                                   (long_lengths ? 1U << usb_redir_cap_32bits_bulk_length : 0U);
        REQUIRE(parser.feed(test::raw_hello(caps)));
        const auto data = pattern(size);
        parser.send(77, bulk_header(0x81, size), data);
        const auto expected = drain(parser);
        auto buffer = parser.make_bulk(65535);
        REQUIRE(buffer);
        REQUIRE(buffer->room().size() == 65535);
        std::copy(data.begin(), data.end(), buffer->room().begin());
        parser.send_bulk(77, bulk_header(0x81, 65535), std::move(*buffer), size);
        CHECK(drain(parser) == expected);
      }
    }
  }
}

TEST_CASE("a megabyte in one packet arrives whole when it comes in small pieces") {
  Pair pair;
  pair.exchange();
  const auto data = pattern(1 << 20);
  pair.host.send(5, bulk_header(0x81, data.size()), data);
  const auto stream = drain(pair.host);
  for (std::size_t at = 0; at < stream.size(); at += 1499) {
    REQUIRE(pair.guest.feed(std::span(stream).subspan(at, std::min<std::size_t>(1499, stream.size() - at))));
  }
  CHECK(pair.at_guest.data == data);
}

TEST_CASE("the guest side answers device_disconnect by itself") {
  Pair pair;
  pair.exchange();
  pair.host.send_device_disconnect();
  pair.exchange();
  CHECK(pair.at_guest.events.back() == "disconnect");
  CHECK(pair.at_host.events.back() == "ack");
}

TEST_CASE("reset, cancel and filter_reject arrive") {
  Pair pair;
  pair.exchange();
  pair.guest.send_reset();
  pair.guest.send_cancel_data_packet(99);
  pair.guest.send_filter_reject();
  pair.exchange();
  CHECK(pair.at_host.events == std::vector<std::string>{"hello usbloop", "reset", "cancel 99", "filter_reject"});
}

TEST_CASE("no input is taken between packets while the output is over the high-water mark") {
  ParserOptions options;
  options.high_water = 100;
  Pair pair(options);
  pair.exchange();
  const auto data = pattern(200);
  pair.host.send(1, bulk_header(0x81, data.size()), data);
  CHECK_FALSE(pair.host.wants_input());
  pair.guest.send_reset();
  const auto input = drain(pair.guest);
  CHECK(pair.host.feed(input).value() == 0);
  CHECK(pair.at_host.events.back() == "hello usbloop");
  drain(pair.host);
  CHECK(pair.host.wants_input());
  CHECK(pair.host.feed(input).value() == input.size());
  CHECK(pair.at_host.events.back() == "reset");
}

TEST_CASE("what a handler throws ends the stream and does not pass through the C library") {
  struct Thrower : PacketHandler {
    void on_reset() override { throw std::runtime_error("out of luck"); }
  } thrower;
  Recorder nobody;
  Parser host({}, thrower);
  ParserOptions guest_options;
  guest_options.side = Side::usb_guest;
  Parser guest(guest_options, nobody);
  REQUIRE(guest.feed(drain(host)));
  guest.send_reset();
  const auto result = host.feed(drain(guest));
  REQUIRE_FALSE(result);
  CHECK(result.error().cause == "out of luck");
  CHECK_FALSE(host.wants_input());
}
