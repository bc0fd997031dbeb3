#pragma once

#include <fcntl.h>
#include <sched.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "common/fd.h"
#include "common/net/stream.h"

// For tests only: two hosts (network namespaces) with a cable between them that can be cut.
namespace usbloop::net::test {

/// Near host: this thread's own namespace from here on. Sockets belong to the namespace that they are made in.
class TestLink {
 public:
  /// Ends the test program with 77 (skipped) where namespaces are not to be had.
  TestLink() {
    far_ = fresh_namespace();
    near_ = fresh_namespace();
    need(run("ip link add near type veth peer name far netns /proc/self/fd/" + std::to_string(far_.get())) &&
             run("ip addr add 10.9.0.1/24 dev near && ip link set near up && ip link set lo up"),
         "make a veth pair with ip(8)");
    enter(far_);
    need(run("ip addr add 10.9.0.2/24 dev far && ip link set far up && ip link set lo up"), "set up the far host");
    enter(near_);
  }
  TestLink(const TestLink&) = delete;
  TestLink& operator=(const TestLink&) = delete;

  /// A connection, first its near end.
  std::pair<StreamPtr, StreamPtr> connect(asio::io_context& near_loop, asio::io_context& far_loop) {
    using asio::ip::tcp;
    enter(far_);
    tcp::acceptor acceptor(far_loop, tcp::endpoint(asio::ip::make_address("10.9.0.2"), 0));
    enter(near_);
    tcp::socket near(near_loop);
    near.connect(acceptor.local_endpoint());
    tcp::socket far = acceptor.accept();
    return {make_plain_stream(Stream::Socket(std::move(near))), make_plain_stream(Stream::Socket(std::move(far)))};
  }

  /// From here on nothing comes through, and nobody is told.
  void cut() {
    enter(far_);
    need(run("ip addr flush dev far"), "take the far host's address");
    enter(near_);
  }

 private:
  static void need(bool done, const char* what) {
    if (done) return;
    std::cout << "skipped: cannot " << what << " here" << std::endl;
    std::_Exit(77);
  }

  static bool run(const std::string& command) {
    return std::system((command + " 2>/dev/null").c_str()) == 0;  // NOLINT(cert-env33-c): a fixed command of a test
  }

  static Fd fresh_namespace() {
    const bool made = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    need(made, "make a network namespace");
    return Fd(::open("/proc/thread-self/ns/net", O_RDONLY));  // kept by the children that run ip(8)
  }

  static void enter(const Fd& name_space) {
    need(::setns(name_space.get(), CLONE_NEWNET) == 0, "enter a network namespace");
  }

  Fd far_;
  Fd near_;
};

}  // namespace usbloop::net::test
