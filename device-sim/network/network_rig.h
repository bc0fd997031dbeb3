#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "common/fd.h"
#include "common/test_wait.h"
#include "device-sim/network/test_packets.h"
#include "device-sim/network/user_network.h"

// A guest at a user network, and whom it speaks to, for tests; no part of the library.
namespace usbloop::network::test {

/// A UDP socket of this machine.
struct LocalServer {
  explicit LocalServer(std::uint32_t where = INADDR_LOOPBACK) : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(where);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    socklen_t size = sizeof own;
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
    port = ntohs(own.sin_port);
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
  sockaddr_in own{}, peer{};
};

inline Frame text_frame(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

struct NetworkRig {
  explicit NetworkRig(Reach reach = {}) {
    auto made = UserNetwork::start(std::move(reach));
    REQUIRE_MESSAGE(made, made.error().message());
    network = std::move(*made);
    network->set_wake([this] { ++wakes; });
  }
  ~NetworkRig() { network->set_wake(nullptr); }

  /// The next frame that `fits`, answering the network's own questions for the guest's address.
  Frame wait_for(const std::function<bool(const Frame&)>& fits) {
    Frame found;
    REQUIRE(testing::comes_true([&] {
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

inline bool is_arp_answer(const Frame& frame) { return take_16(frame, 12) == 0x0806 && take_16(frame, 20) == 2; }

inline bool is_ip_of(const Frame& frame, unsigned protocol) {
  return take_16(frame, 12) == 0x0800 && std::to_integer<unsigned>(frame[23]) == protocol;
}

inline std::string text_behind(const Frame& frame, std::size_t at) {
  return {reinterpret_cast<const char*>(frame.data()) + at, frame.size() - at};
}

}  // namespace usbloop::network::test
