#include "device-sim/network/network_spec.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>

#include "common/test_text.h"
#include "common/test_wait.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/kinds.h"
#include "device-sim/network/network_adapter.h"
#include "device-sim/network/test_packets.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using network::Frame;
using usbloop::testing::comes_true;
using usbloop::testing::contains;

TEST_CASE("a network adapter is described in words") {
  const auto plain = make_host_end("network");
  REQUIRE_MESSAGE(plain, plain.error().message());
  CHECK((*plain)->device().id() == "0525:a4a1");
  CHECK((*plain)->device().speed == usbredir::Speed::high);
  const auto given = make_host_end("network,mac=02:00:5e:10:00:01,ports=80 8080,outside,speed=full,serial=S1,id=1:2");
  REQUIRE(given);
  CHECK((*given)->device().serial == "S1");
  CHECK((*given)->device().speed == usbredir::Speed::full);
  struct Wrong {
    const char* spec;
    const char* cause;
  };
  for (const Wrong& wrong :
       {Wrong{"network,speed=super", "speed=super is not a speed of this device"},
        Wrong{"network,mac=01:00:5e:10:00:01", "mac=01:00:5e:10:00:01 is not the address of an adapter"},
        Wrong{"network,ports=0", "ports=0 is no list of ports"}, Wrong{"network,ports=65536", "no list of ports"},
        Wrong{"network,ports=80x", "no list of ports"}, Wrong{"network,ports= ", "no list of ports"},
        Wrong{"network,outside=no", "outside takes no value"}}) {
    CAPTURE(wrong.spec);
    const auto refused = make_host_end(wrong.spec);
    REQUIRE_FALSE(refused);
    CHECK(contains(refused.error().message(), wrong.cause));
  }
}

TEST_CASE("a guest asks who the host is through the whole device, and is woken for the answer") {
  auto spec = parse_spec("network,mac=02:00:00:00:00:01");
  REQUIRE(spec);
  auto device = make_device(*spec);
  REQUIRE(device);
  DeviceRig rig(std::move(*device));
  std::atomic<bool> is_woken = false;
  rig.host->set_wake([&is_woken] { is_woken = true; });
  rig.configure();
  rig.guest.parser.send(++rig.id, usb_redir_set_alt_setting_header{1, 1});
  rig.exchange();
  rig.guest.replies.clear();
  rig.guest.parser.send(++rig.id, usb_redir_bulk_packet_header{NetworkAdapter::kIn, 0, 1514, 0, 0});
  const Frame question = network::test::arp_request(0x0a000202);
  const auto size = static_cast<std::uint16_t>(question.size());
  rig.guest.parser.send(++rig.id, usb_redir_bulk_packet_header{NetworkAdapter::kOut, 0, size, 0, 0}, question);
  rig.exchange();
  REQUIRE(comes_true([&] {
    if (is_woken.exchange(false)) rig.host->look();
    rig.exchange();
    return rig.guest.replies.size() == 2;
  }));
  const Frame& answer = rig.guest.replies.back().data;
  REQUIRE(answer.size() >= 42);
  CHECK(network::destination_of(answer) == network::test::kGuestMac);
  CHECK(network::test::take_16(answer, 20) == 2);  // an answer
}
