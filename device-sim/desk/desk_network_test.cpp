// A network adapter of a desk: the device outlives its redirections, and its network wakes the one of the moment.
#include <doctest/doctest.h>

#include <atomic>

#include "common/test_wait.h"
#include "device-sim/desk/desk.h"
#include "device-sim/emulation/guest_double.h"
#include "device-sim/network/network_adapter.h"
#include "device-sim/network/test_packets.h"

using namespace usbloop;
using namespace usbloop::desk;
using device_sim::NetworkAdapter;
using usbloop::testing::comes_true;

TEST_CASE("each redirection of a network adapter is woken for its own answers, and hears none of the one before") {
  auto entries = parse_desk("devices:\n- {kind: network, mac: 02:00:00:00:00:01, ports: 80, outside: false}\n", "desk");
  REQUIRE_MESSAGE(entries, entries.error().message());
  const auto desk = Desk::make("desk", std::move(*entries));
  REQUIRE_MESSAGE(desk, desk.error().message());
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    std::atomic<bool> is_woken = false;
    device_sim::test::Guest guest;
    auto loan = (*desk)->lend("network", {"somebody", 1, 1});
    REQUIRE(loan);
    auto& host = (*loan)->host();
    host.set_wake([&is_woken] { is_woken = true; });
    device_sim::test::exchange(host, guest);
    guest.parser.send(1, usb_redir_set_configuration_header{1});
    guest.parser.send(2, usb_redir_set_alt_setting_header{1, 1});
    guest.parser.send(3, usb_redir_bulk_packet_header{NetworkAdapter::kIn, 0, 1514, 0, 0});
    device_sim::test::exchange(host, guest);
    guest.replies.clear();
    const auto question = network::test::arp_request(0x0a000202);
    const auto size = static_cast<std::uint16_t>(question.size());
    guest.parser.send(4, usb_redir_bulk_packet_header{NetworkAdapter::kOut, 0, size, 0, 0}, question);
    // Left with an answer on its way in the last round but one.
    if (round == 1) {
      device_sim::test::exchange(host, guest);
      continue;
    }
    CHECK(comes_true([&] {
      device_sim::test::exchange(host, guest);
      if (is_woken.exchange(false)) host.look();
      return guest.replies.size() == 2;
    }));
    for (const auto& reply : guest.replies) CHECK(int{reply.status} == usb_redir_success);
  }
}
