// What a guest reaches with `outside`: this machine at an address other than the loopback's stands for the others.
#include <doctest/doctest.h>
#include <sched.h>

#include <cstdlib>
#include <iostream>

#include "device-sim/network/network_rig.h"

using namespace usbloop::network;
using namespace usbloop::network::test;

namespace {

constexpr std::uint32_t kElsewhere = 0xc6336401;  // 198.51.100.1, of an example network

/// A machine of its own with that address, for this thread. Ends the program with 77 (skipped) where there is none.
void enter_other_machine() {
  const bool made = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  // NOLINTNEXTLINE(cert-env33-c): a fixed command of a test
  if (made && std::system("ip link set lo up && ip addr add 198.51.100.1/32 dev lo") == 0) return;
  std::cout << "skipped: cannot make a network namespace here, with ip(8)" << std::endl;
  std::_Exit(77);
}

bool is_udp(const Frame& frame) { return is_ip_of(frame, 17); }

}  // namespace

TEST_CASE("outside is reached when that is asked for, and this machine's loopback is not reached with it") {
  enter_other_machine();
  LocalServer elsewhere(kElsewhere);
  LocalServer local;
  {
    NetworkRig rig({.outside = true});
    rig.network->send(arp_request(kHostAddress));
    for (const std::uint32_t address : {kHostAddress, 0x7f000001U, 0U, 0x0a000205U})
      rig.network->send(udp_packet(address, 1000, local.port, text_frame("no")));
    CHECK(rig.network->refused() == 4);
    rig.network->send(udp_packet(kElsewhere, 1000, elsewhere.port, text_frame("question")));
    CHECK(elsewhere.receive() == "question");
    elsewhere.answer("answer");
    const Frame reply = rig.wait_for(is_udp);
    CHECK(take_16(reply, 26) == kElsewhere >> 16);
    CHECK(text_behind(reply, 42).substr(0, 6) == "answer");
  }
  NetworkRig closed({.ports = {local.port, elsewhere.port}});
  closed.network->send(udp_packet(kElsewhere, 1000, elsewhere.port, text_frame("no")));
  closed.network->send(udp_packet(kHostAddress, 1000, local.port, text_frame("yes")));
  CHECK(local.receive() == "yes");  // and what was before it has been looked at
  CHECK(closed.network->refused() == 1);
  char byte = 0;
  CHECK(::recv(elsewhere.fd.get(), &byte, 1, MSG_DONTWAIT) < 0);
}
