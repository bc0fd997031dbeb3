#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "usbredir/capture/test_support.h"
#include "usbredir/endpoint_table.h"
#include "usbredir/host_end.h"

namespace usbloop::capture::test {
namespace {

usbredir::ParserOptions parser_options(usbredir::Side side, const HandMadeSession::Options& options) {
  usbredir::ParserOptions result;
  result.side = side;
  result.capabilities = options.capabilities;
  return result;
}

void in_pieces(std::span<const std::byte> all, std::size_t size, const auto& take) {
  while (!all.empty()) {
    const auto piece = all.first(std::min(size, all.size()));
    take(piece);
    all = all.subspan(piece.size());
  }
}

std::vector<std::byte> drain(usbredir::Parser& parser) {
  std::vector<std::byte> all;
  while (!parser.pending().empty()) {
    const auto piece = parser.pending();
    all.insert(all.end(), piece.begin(), piece.end());
    parser.consume(piece.size());
  }
  return all;
}

}  // namespace

HandMadeSession::HandMadeSession(Translator::Sink sink, Options options)
    : host(parser_options(usbredir::Side::usb_host, options), nobody),
      guest(parser_options(usbredir::Side::usb_guest, options), nobody),
      translator(options.keep, std::move(sink)),
      cut_(options.cut) {
  exchange();
}

void HandMadeSession::exchange() {
  const auto from_guest = drain(guest);
  in_pieces(from_guest, cut_, [this](auto piece) { translator.from_guest(piece); });
  REQUIRE(host.feed(from_guest));
  const auto from_device = drain(host);
  in_pieces(from_device, cut_, [this](auto piece) { translator.from_device(piece); });
  REQUIRE(guest.feed(from_device));
}

void HandMadeSession::plug_in(usbredir::Speed speed, std::span<const std::byte> configuration) {
  const auto parsed = usbredir::parse_configuration(configuration);
  REQUIRE(parsed);
  const usbredir::EndpointTable table(*parsed);
  host.send(table.ep_info());
  host.send(table.interface_info());
  usb_redir_device_connect_header header{};
  header.speed = static_cast<std::uint8_t>(speed);
  host.send(header);
  exchange();
}

void HandMadeSession::announce_setting(std::span<const std::byte> configuration, std::uint8_t interface,
                                       std::uint8_t alternate) {
  const auto parsed = usbredir::parse_configuration(configuration);
  REQUIRE(parsed);
  usbredir::EndpointTable table(*parsed);
  REQUIRE(table.select(interface, alternate));
  host.send(table.ep_info());
  host.send(table.interface_info());
  exchange();
}

void HandMadeSession::control_in(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                                 std::uint16_t length, std::span<const std::byte> answer, std::uint8_t status) {
  const auto id = next_id();
  usb_redir_control_packet_header header{0x80, request, type, 0, value, index, length};
  guest.send(id, header);
  exchange();
  answer = answer.first(std::min<std::size_t>(answer.size(), length));
  header.length = static_cast<std::uint16_t>(answer.size());
  header.status = status;
  host.send(id, header, answer);
  exchange();
}

void HandMadeSession::control_out(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                                  std::span<const std::byte> data) {
  const auto id = next_id();
  usb_redir_control_packet_header header{0, request, type, 0, value, index, static_cast<std::uint16_t>(data.size())};
  guest.send(id, header, data);
  exchange();
  host.send(id, header);
  exchange();
}

void HandMadeSession::set_configuration(std::uint8_t value) {
  const auto id = next_id();
  guest.send(id, usb_redir_set_configuration_header{value});
  exchange();
  host.send(id, usb_redir_configuration_status_header{usb_redir_success, value});
  exchange();
}

void HandMadeSession::set_alt_setting(std::uint8_t interface, std::uint8_t alternate) {
  const auto id = next_id();
  guest.send(id, usb_redir_set_alt_setting_header{interface, alternate});
  exchange();
  host.send(id, usb_redir_alt_setting_status_header{usb_redir_success, interface, alternate});
  exchange();
}

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

void check_paired(const std::vector<Urb>& urbs) {
  std::map<std::tuple<std::uint8_t, std::uint8_t, std::uint64_t>, int> open;
  for (const Urb& urb : urbs) {
    CAPTURE(urb.id);
    CAPTURE(int{urb.endpoint});
    int& count = open[{urb.device, urb.endpoint, urb.id}];
    if (urb.event == Event::submit) {
      CHECK(count == 0);
      ++count;
    } else {
      CHECK(count == 1);
      --count;
    }
  }
  for (const auto& [key, count] : open) CHECK(count == 0);
}

}  // namespace usbloop::capture::test
