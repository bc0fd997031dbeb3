#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "device-sim/emulation/emulated_host.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/storage/ssd.h"
#include "device-sim/storage/stick.h"
#include "device-sim/storage/test_support.h"
#include "usbredir/parser.h"

namespace usbloop::device_sim::fuzz {
namespace {

/// The guest's side: counts what was asked and what is answered.
struct Peer : usbredir::PacketHandler {
  void on_bulk(std::uint64_t, const usb_redir_bulk_packet_header&, usbredir::Payload) override { ++answered; }
  std::size_t asked = 0;
  std::size_t answered = 0;
};

void carry(EmulatedHost& host, usbredir::Parser& guest) {
  while (!guest.pending().empty() || !host.pending().empty()) {
    while (!host.pending().empty()) {
      if (!guest.feed(host.pending())) std::abort();
      host.consume(host.pending().size());
    }
    if (guest.pending().empty()) continue;
    const auto taken = host.receive(guest.pending());
    if (!taken) std::abort();
    guest.consume(*taken);
  }
}

std::unique_ptr<Device> make(unsigned choice) {
  auto store = std::make_unique<test::MemoryStore>(256);
  const auto speed = (choice & 2) != 0 ? usbredir::Speed::super : usbredir::Speed::high;
  if ((choice & 1) == 0) return std::make_unique<Stick>(std::move(store), StorageOptions{1, 2, speed, "1"});
  return std::make_unique<Ssd>(std::move(store), StorageOptions{1, 2, speed, "1"});
}

}  // namespace

// The first byte chooses the device, its speed and the setting. Then packets of a guest that has configured it: one
// byte what, one byte endpoint, one byte stream, one byte length; data of that length from the input.
void storage(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto byte = [&input]() -> std::uint8_t {
    if (input.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(input[0]);
    input = input.subspan(1);
    return value;
  };
  const unsigned choice = byte();
  Peer peer;
  usbredir::ParserOptions options;
  options.side = usbredir::Side::usb_guest;
  options.capabilities.push_back(usb_redir_cap_bulk_streams);
  usbredir::Parser guest(options, peer);
  auto host = EmulatedHost::make(make(choice));
  if (!host) std::abort();
  carry(**host, guest);
  guest.send(1, usb_redir_set_configuration_header{1});
  if ((choice & 4) != 0) guest.send(2, usb_redir_set_alt_setting_header{0, 1});
  if ((choice & 8) != 0) guest.send(3, usb_redir_alloc_bulk_streams_header{1U << 2 | 1U << 17 | 1U << 19, 16});
  constexpr std::uint8_t kEndpoints[] = {0x81, 0x02, 0x83, 0x04};
  for (std::uint64_t id = 10; !input.empty(); ++id) {
    const std::uint8_t what = byte() % 16;
    const std::uint8_t endpoint = kEndpoints[byte() % 4];
    const std::uint32_t stream = byte();
    const std::uint8_t length = byte();
    if (what == 0) {
      guest.send_reset();
      guest.send(id, usb_redir_set_configuration_header{1});
    } else if (what == 1) {
      guest.send(id, usb_redir_set_alt_setting_header{0, length});
    } else if (what == 2) {
      guest.send(id, usb_redir_alloc_bulk_streams_header{stream << 12 | stream, length});
    } else if (what == 3) {
      guest.send(id, usb_redir_control_packet_header{0, 1, 2, 0, 0, endpoint, 0});  // clears a halt
    } else if (what == 4) {
      guest.send(id, usb_redir_control_packet_header{0, 0xff, 0x21, 0, 0, 0, 0});  // Bulk-Only's reset
    } else if (what == 5) {
      guest.send_cancel_data_packet(id - 1 - length % 8);
    } else if ((endpoint & 0x80) != 0) {
      guest.send(id, usb_redir_bulk_packet_header{endpoint, 0, static_cast<std::uint16_t>(length * 16), stream, 0});
      ++peer.asked;
    } else {
      const auto data = input.first(std::min<std::size_t>(input.size(), length));
      input = input.subspan(data.size());
      guest.send(id, usb_redir_bulk_packet_header{endpoint, 0, static_cast<std::uint16_t>(data.size()), stream, 0},
                 data);
      ++peer.asked;
    }
    carry(**host, guest);
    if (peer.answered > peer.asked) std::abort();  // an answer twice
  }
  (*host)->disconnect();
  carry(**host, guest);
}

}  // namespace usbloop::device_sim::fuzz
