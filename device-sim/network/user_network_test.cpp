#include "device-sim/network/user_network.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "device-sim/network/network_rig.h"

using namespace usbloop;
using namespace usbloop::network;
using namespace usbloop::network::test;
using usbloop::testing::comes_true;

namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a network answers who the host is, and its pings, and wakes with each") {
  NetworkRig rig;
  rig.network->send(arp_request(kHostAddress));
  const Frame answer = rig.wait_for(is_arp_answer);
  CHECK(destination_of(answer) == kGuestMac);
  CHECK(take_16(answer, 28) == kHostAddress >> 16);
  CHECK(take_16(answer, 30) == (kHostAddress & 0xffff));
  CHECK(comes_true([&] { return rig.wakes > 0; }));
  rig.network->send(ping(kHostAddress));
  const Frame echo = rig.wait_for([](const Frame& frame) { return is_ip_of(frame, 1); });
  CHECK(std::to_integer<int>(echo[34]) == 0);
  CHECK(text_behind(echo, 42).substr(0, 4) == "abcd");
  CHECK(rig.network->refused() == 0);
}

TEST_CASE("a guest reaches a port of this machine that is named, there and back, and none that is not") {
  LocalServer open;
  LocalServer closed;
  NetworkRig rig({.ports = {open.port}});
  rig.network->send(arp_request(kHostAddress));
  rig.network->send(udp_packet(kHostAddress, 1000, closed.port, text_frame("no")));
  rig.network->send(udp_packet(0x7f000001, 1000, open.port, text_frame("no")));
  rig.network->send(udp_packet(kHostAddress, 1000, open.port, text_frame("question")));
  CHECK(open.receive() == "question");
  open.answer("answer");
  const Frame reply = rig.wait_for([](const Frame& frame) { return is_ip_of(frame, 17); });
  CHECK(take_16(reply, 34) == open.port);
  CHECK(take_16(reply, 36) == 1000);
  CHECK(text_behind(reply, 42).substr(0, 6) == "answer");  // short frames may be filled up
  CHECK(rig.network->refused() == 2);
  char byte = 0;
  CHECK(::recv(closed.fd.get(), &byte, 1, MSG_DONTWAIT) < 0);
}

TEST_CASE("frames for a guest that takes none are bounded, and the rest is counted as lost") {
  LocalServer server;
  NetworkRig rig({.ports = {server.port}});
  rig.network->send(udp_packet(kHostAddress, 1000, server.port, text_frame("begin")));
  server.receive();
  rig.network->send(arp_request(kHostAddress));  // so that the network knows the guest
  rig.wait_for(is_arp_answer);
  CHECK(comes_true([&] {
    server.answer("more");
    return rig.network->lost() > 0;
  }));
  std::size_t waiting = 0;
  while (!rig.network->receive().empty()) ++waiting;
  CHECK(waiting >= UserNetwork::kMostForGuest);
}

TEST_CASE("a guest that wants very many sockets gets some, and the others nothing") {
  LocalServer server;
  NetworkRig rig({.ports = {server.port}});
  const std::size_t before = open_descriptors();
  for (unsigned port = 2000; port < 3000; ++port) {
    REQUIRE(comes_true([&] { return rig.network->has_room(); }));
    rig.network->send(udp_packet(kHostAddress, port, server.port, text_frame("one")));
  }
  // What still works is asked last, so that all that was before it has been looked at.
  rig.network->send(arp_request(kHostAddress));
  rig.wait_for(is_arp_answer);
  const std::size_t opened = open_descriptors() - before;
  CHECK(opened > 0);
  CHECK(opened <= UserNetwork::kMostSockets);
}

TEST_CASE("a network stays whole whatever a guest sends, and answers the next one") {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // The kernel chooses its port, which somebody else may have by TCP.
  auto chosen = std::make_unique<LocalServer>();
  while (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&chosen->own), sizeof chosen->own) != 0) {
    REQUIRE(errno == EADDRINUSE);
    chosen = std::make_unique<LocalServer>();
  }
  const LocalServer& server = *chosen;
  REQUIRE(::listen(listener.get(), 10) == 0);
  NetworkRig rig({.ports = {server.port}});
  const std::vector<Frame> good = {arp_request(kHostAddress),
                                   ping(kHostAddress),
                                   ping(kHostAddress, 0x2000),
                                   ping(kHostAddress, 1),
                                   udp_packet(0xffffffff, 68, 67, Frame(300, std::byte{1})),
                                   udp_packet(kHostAddress, 1000, server.port, text_frame("text")),
                                   tcp_packet(kHostAddress, server.port, 2),
                                   tcp_packet(kHostAddress, server.port, 0x18),
                                   tcp_packet(kHostAddress, server.port, 0x11)};
  std::mt19937 random(23);
  for (int round = 0; round < 20'000; ++round) {
    Frame frame = good[random() % good.size()];
    for (auto changes = random() % 4; changes > 0; --changes)
      frame[14 + random() % (frame.size() - 14)] = static_cast<std::byte>(random());
    if (random() % 8 == 0) frame.resize(14 + random() % 1500);
    if (random() % 2 == 0 && frame.size() >= 34) set_sums(frame);
    REQUIRE(comes_true([&] { return rig.network->has_room(); }));
    rig.network->send(frame);
    rig.network->receive();
  }
  rig.network->restart();
  rig.network->send(arp_request(kHostAddress));
  rig.wait_for(is_arp_answer);
}

TEST_CASE("a network that begins anew has forgotten who was there before") {
  LocalServer server;
  NetworkRig rig({.ports = {server.port}});
  const std::size_t before = open_descriptors();
  rig.network->send(arp_request(kHostAddress));
  rig.network->send(udp_packet(kHostAddress, 1000, server.port, text_frame("first")));
  CHECK(server.receive() == "first");
  CHECK(open_descriptors() == before + 1);
  rig.network->restart();
  CHECK(comes_true([&] { return open_descriptors() == before; }));
  CHECK(rig.network->receive().empty());
  rig.network->send(arp_request(kHostAddress));
  rig.wait_for(is_arp_answer);
  rig.network->send(udp_packet(kHostAddress, 1000, server.port, text_frame("second")));
  CHECK(server.receive() == "second");
}

TEST_CASE("frames longer than Ethernet has them, and none at all, are refused") {
  NetworkRig rig;
  rig.network->send(Frame(kLongestFrame + 1));
  rig.network->send({});
  rig.network->send(frame_head(0x86dd));
  CHECK(rig.network->refused() == 3);
}

TEST_CASE("a hundred networks begin and end with something on the way") {
  for (int round = 0; round < 100; ++round) {
    NetworkRig rig;
    rig.network->send(arp_request(kHostAddress));
    if (round % 2 == 0) rig.network->restart();
    if (round % 3 == 0) rig.network->send(ping(kHostAddress));
  }
}
