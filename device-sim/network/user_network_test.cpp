#include "device-sim/network/user_network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "common/test_wait.h"
#include "device-sim/network/test_packets.h"

using namespace usbloop;
using namespace usbloop::network;
using namespace usbloop::network::test;
using usbloop::testing::comes_true;

namespace {

/// A UDP socket of this machine's loopback.
struct LocalServer {
  LocalServer() : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
    const timeval longest{20, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  }

  /// The next datagram, and who has sent it.
  std::string receive() {
    std::string text(2000, '\0');
    socklen_t size = sizeof peer;
    const auto got = ::recvfrom(fd.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    REQUIRE(got >= 0);
    text.resize(static_cast<std::size_t>(got));
    return text;
  }
  void answer(const std::string& text) {
    const auto* to = reinterpret_cast<const sockaddr*>(&peer);
    REQUIRE(::sendto(fd.get(), text.data(), text.size(), 0, to, sizeof peer) == static_cast<ssize_t>(text.size()));
  }

  Fd fd;
  std::uint16_t port = 0;
  sockaddr_in peer{};
};

Frame text_frame(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

struct Rig {
  explicit Rig(Reach reach = {}) {
    auto made = UserNetwork::start(std::move(reach));
    REQUIRE_MESSAGE(made, made.error().message());
    network = std::move(*made);
    network->set_wake([this] { ++wakes; });
  }
  ~Rig() { network->set_wake(nullptr); }

  /// The next frame that `fits`, answering the network's own questions for the guest's address.
  Frame wait_for(const std::function<bool(const Frame&)>& fits) {
    Frame found;
    REQUIRE(comes_true([&] {
      for (Frame frame = network->receive(); !frame.empty(); frame = network->receive()) {
        if (fits(frame)) {
          found = std::move(frame);
          return true;
        }
        if (take_16(frame, 12) == 0x0806 && take_16(frame, 20) == 1) network->send(arp_answer(frame));
      }
      return false;
    }));
    return found;
  }

  static Frame arp_answer(const Frame& question) {
    Frame answer = arp_request(kHostAddress);
    set_16(answer, 20, 2);
    std::copy(question.begin() + 22, question.begin() + 28, answer.begin() + 32);  // its asker
    return answer;
  }

  std::unique_ptr<UserNetwork> network;
  std::atomic<int> wakes = 0;
};

bool is_arp_answer(const Frame& frame) { return take_16(frame, 12) == 0x0806 && take_16(frame, 20) == 2; }

bool is_ip_of(const Frame& frame, unsigned protocol) {
  return take_16(frame, 12) == 0x0800 && std::to_integer<unsigned>(frame[23]) == protocol;
}

std::string text_behind(const Frame& frame, std::size_t at) {
  return {reinterpret_cast<const char*>(frame.data()) + at, frame.size() - at};
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a network answers who the host is, and its pings, and wakes with each") {
  Rig rig;
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
  Rig rig({.ports = {open.port}});
  rig.network->send(arp_request(kHostAddress));
  rig.network->send(udp_packet(kHostAddress, 1000, closed.port, text_frame("no")));
  rig.network->send(udp_packet(0x7f000001, 1000, open.port, text_frame("no")));
  rig.network->send(udp_packet(kHostAddress, 1000, open.port, text_frame("question")));
  CHECK(open.receive() == "question");
  open.answer("answer");
  const Frame reply = rig.wait_for([](const Frame& frame) { return is_ip_of(frame, 17); });
  CHECK(take_16(reply, 34) == open.port);
  CHECK(take_16(reply, 36) == 1000);
  CHECK(text_behind(reply, 42) == "answer");
  CHECK(rig.network->refused() == 2);
  char byte = 0;
  CHECK(::recv(closed.fd.get(), &byte, 1, MSG_DONTWAIT) < 0);
}

TEST_CASE("frames for a guest that takes none are bounded, and the rest is counted as lost") {
  LocalServer server;
  Rig rig({.ports = {server.port}});
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
  Rig rig({.ports = {server.port}});
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

TEST_CASE("a network that begins anew has forgotten who was there before") {
  LocalServer server;
  Rig rig({.ports = {server.port}});
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
  Rig rig;
  rig.network->send(Frame(kLongestFrame + 1));
  rig.network->send({});
  rig.network->send(frame_head(0x86dd));
  CHECK(rig.network->refused() == 3);
}

TEST_CASE("a hundred networks begin and end with something on the way") {
  for (int round = 0; round < 100; ++round) {
    Rig rig;
    rig.network->send(arp_request(kHostAddress));
    if (round % 2 == 0) rig.network->restart();
    if (round % 3 == 0) rig.network->send(ping(kHostAddress));
  }
}
