#include "client/vmi_state.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <thread>

using namespace usbloop;
using namespace usbloop::client;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

const Target kLostTarget{"demo", "default"};

/// An API server that answers each request one byte at a time, without end.
class DrippingServer {
 public:
  DrippingServer() : acceptor_(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }

  [[nodiscard]] kube::ClusterAccess access() const {
    kube::ClusterAccess access;
    access.host = "127.0.0.1";
    access.port = acceptor_.local_endpoint().port();
    access.tls = false;
    return access;
  }
  [[nodiscard]] bool was_asked() const { return asked_; }

 private:
  static bool readable(int socket) {
    pollfd wanted{socket, POLLIN, 0};
    return ::poll(&wanted, 1, 20) > 0;
  }

  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!readable(acceptor_.native_handle())) continue;
      tcp::socket socket = acceptor_.accept();
      asio::error_code code;
      asio::write(socket, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")), code);
      asked_ = true;
      while (!code && !stop.stop_requested()) {
        asio::write(socket, asio::buffer("{", 1), code);
        std::this_thread::sleep_for(50ms);  // the pace of the drip
      }
    }
  }

  asio::io_context loop_;
  tcp::acceptor acceptor_;
  std::atomic<bool> asked_ = false;
  std::jthread thread_;
};

}  // namespace

TEST_CASE("a server that answers byte by byte does not hold the client for long after its session was lost") {
  const DrippingServer server;
  const auto state = look_up_vmi(server.access(), kLostTarget, {});
  REQUIRE_FALSE(state.has_value());  // the answer would take more than an hour
  CHECK(state.error().kind == ErrorKind::timeout);
}

TEST_CASE("Ctrl-C ends the question about the VMI at once") {
  const DrippingServer server;
  std::stop_source asked;
  std::jthread person([&] {
    while (!server.was_asked()) std::this_thread::yield();
    asked.request_stop();
  });
  const auto state = look_up_vmi(server.access(), kLostTarget, asked.get_token());
  REQUIRE_FALSE(state.has_value());
  CHECK(state.error().kind == ErrorKind::cancelled);
}
