// The emulated network adapter at a QEMU without a loop, and through the loop by the client: the guest's driver is
// cdc_ether, and it reaches one port of this machine, there and back.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "common/fd.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;

namespace {

constexpr std::size_t kFetched = 30'000;
constexpr std::size_t kGiven = 300'000;

/// A TCP server of this machine's loopback that takes kGiven bytes of one peer and then gives `content`.
class OneTimeServer {
 public:
  explicit OneTimeServer(std::string content = {})
      : content_(std::move(content)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* where = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), where, size) != 0 || ::listen(listener_.get(), 4) != 0 ||
        ::getsockname(listener_.get(), where, &size) != 0) {
      throw Failure("no server can be made on the loopback");
    }
    port_ = ntohs(address.sin_port);
  }
  /// Begins to serve.
  void serve() {
    thread_ = std::jthread([this] { run(); });
  }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  /// The sum of what came; empty when it was not all.
  std::string taken() {
    if (thread_.joinable()) thread_.join();
    return received_.size() == kGiven ? sha256_of(received_) : "";
  }
  /// Nobody has come.
  [[nodiscard]] bool is_alone() const {
    pollfd waiting{listener_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 0;
  }

 private:
  void run() {
    const timeval longest{60, 0};
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    const usbloop::Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return;
    ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    std::string part(65536, '\0');
    while (received_.size() < kGiven) {
      const auto got = ::recv(peer.get(), part.data(), part.size(), 0);
      if (got <= 0) return;
      received_.append(part, 0, static_cast<std::size_t>(got));
    }
    for (std::size_t at = 0; at < content_.size();) {
      const auto sent = ::send(peer.get(), content_.data() + at, content_.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return;
      at += static_cast<std::size_t>(sent);
    }
  }

  const std::string content_;
  const usbloop::Fd listener_;
  std::uint16_t port_ = 0;
  std::string received_;
  std::jthread thread_;  ///< last: it uses the others
};

/// Waits for the adapter's interface in the guest; its name.
std::string wait_for_interface(GuestConsole& guest) {
  return guest.must_run(
      "for i in $(seq 200); do for n in /sys/bus/usb/devices/*:1.0/net/*; do [ -e $n ] && break 2; done; "
      "usleep 50000; done; basename $n");
}

/// By DHCP, as a distribution would.
void configure_interface(GuestConsole& guest, const std::string& name) {
  guest.must_run(
      "printf '#!/bin/sh\\n[ \"$1\" != bound ] || ip addr add $ip/$mask dev $interface\\n' > /tmp/lease && "
      "chmod +x /tmp/lease && ip link set " +
      name + " up");
  guest.must_run("udhcpc -n -q -t 10 -i " + name + " -s /tmp/lease >/tmp/dhcp 2>&1 || { cat /tmp/dhcp; false; }", 60s);
}

/// Makes what the guest gives; its sum.
std::string make_given(GuestConsole& guest) {
  guest.must_run("head -c " + std::to_string(kGiven) + " /dev/urandom > /tmp/given");
  return guest.must_run("sha256sum < /tmp/given").substr(0, 64);
}

/// The guest gives the server what it has made, and fetches what the server has; the sum of that.
std::string fetch(GuestConsole& guest, const OneTimeServer& server) {
  guest.must_run("nc 10.0.2.2 " + server.port() + " < /tmp/given > /tmp/fetched", 60s);
  return guest.must_run("sha256sum < /tmp/fetched").substr(0, 64);
}

}  // namespace

TEST_CASE("a guest has an address on an emulated network, and exchanges files with one port of this machine") {
  const CaseDir dir;
  PlainGuest plain(dir, {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                                       "usb-redir,chardev=slot0,bus=xhci.0,port=1"}});
  GuestConsole& guest = plain.boot();
  const std::string given = make_given(guest);
  for (const bool is_high : {false, true}) {
    CAPTURE(is_high);
    const std::string content = random_bytes(kFetched, is_high ? 2 : 1);
    OneTimeServer server(content);
    const OneTimeServer closed;
    server.serve();
    const auto mark = guest.mark();
    Process adapter({.name = "network",
                     .argv = {device_sim(), "--emulate",
                              std::string("network,mac=02:00:5e:10:00:01,speed=") + (is_high ? "high" : "full") +
                                  ",ports=" + server.port(),
                              "--to", "unix:" + (plain.dir() / "slot0.sock").string(), "-v", "3"},
                     .log_dir = dir.path()});
    guest.wait_for_line(
        std::string("usbloop-guest: usb add 0525:a4a1 speed=") + (is_high ? "480" : "12") + " .*path=1-1", 15s, mark);
    const std::string name = wait_for_interface(guest);
    CHECK(guest.must_run("cat /sys/class/net/" + name + "/address") == "02:00:5e:10:00:01");
    configure_interface(guest, name);
    CHECK(guest.must_run("ip -o -4 addr show dev " + name).find("10.0.2.15/24") != std::string::npos);
    guest.must_run("ping -c 3 -s 1000 -W 10 10.0.2.2 >/dev/null", 60s);
    CHECK(fetch(guest, server) == sha256_of(content));
    CHECK(server.taken() == given);
    CHECK(guest.run("nc -w 2 10.0.2.2 " + closed.port() + " < /dev/null").status != 0);
    CHECK(closed.is_alone());
    CHECK(guest.run("dmesg | grep -iE '(cdc_ether|watchdog|" + name + ").*(fail|error|timed out)'").output.empty());
    adapter.signal(SIGTERM);
    CHECK(adapter.wait_exit(5s).code == 0);
    guest.wait_for_line("usbloop-guest: usb remove 0525:a4a1 path=1-1", 5s, mark);
    CHECK(guest.run("[ -e /sys/class/net/" + name + " ]").status != 0);
  }
}

TEST_CASE("through the loop the client's adapter carries the same, and its interface goes with it") {
  const CaseDir dir;
  Loop loop(dir);
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  const std::string given = make_given(guest);
  const std::string content = random_bytes(kFetched, 3);
  OneTimeServer server(content);
  server.serve();
  Process client = start_client(
      dir, "client", {"--kubeconfig", loop.kubeconfig(), "--emulate", "network,ports=" + server.port(), "demo"});
  const std::string name = wait_for_interface(guest);
  configure_interface(guest, name);
  CHECK(fetch(guest, server) == sha256_of(content));
  CHECK(server.taken() == given);
  const auto mark = guest.mark();
  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 0);
  guest.wait_for_line("usbloop-guest: usb remove 0525:a4a1 ", 5s, mark);
  CHECK(guest.run("[ -e /sys/class/net/" + name + " ]").status != 0);
}
