// Several devices of one command in one guest.
#include <doctest/doctest.h>

#include <csignal>
#include <regex>

#include "client/proxy_double.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::client::testing::ProxyDouble;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

/// The loop's kubeconfig with the proxy in front of the server.
fs::path config_through(const ProxyDouble& proxy, const CaseDir& dir, const Loop& loop) {
  const fs::path config = dir.path() / "proxy.kubeconfig";
  const std::string url = "http://127.0.0.1:" + std::to_string(proxy.proxy().port);
  write_file(config,
             std::regex_replace(read_file(loop.kubeconfig()), std::regex("( *)server: "),
                                "$1proxy-url: " + url + "\n$1server: ", std::regex_constants::format_first_only));
  return config;
}

}  // namespace

TEST_CASE("two sticks of one command are both read, and when one is cut off the other goes on") {
  const CaseDir dir;
  Loop loop{dir};
  Vmi vmi{loop, "demo"};
  GuestConsole& guest = vmi.boot();
  ProxyDouble proxy(usbloop::kube::Proxy::Kind::http);
  const Stick small{.image = dir.path() / "small.img", .id = "0951:1666", .speed = "high", .serial = "ONE"};
  const Stick large{.image = dir.path() / "large.img", .id = "0781:5567", .speed = "high", .serial = "TWO"};
  std::map<std::string, std::pair<std::size_t, std::string>> expected;  // id: size and sha256
  expected[small.id] = {2 * kMiB, make_random_image(small.image, 2 * kMiB, 1)};
  expected[large.id] = {4 * kMiB, make_random_image(large.image, 4 * kMiB, 2)};

  const std::size_t mark = guest.mark();
  Process client = start_client(dir, "client",
                                {"--once", "--kubeconfig", config_through(proxy, dir, loop), "--emulate", small.spec(),
                                 "--emulate", large.spec(), "demo"});
  std::map<std::string, std::string> disks;  // of each id
  for (const auto& [id, content] : expected) {
    client.wait_err("Redirecting " + id + " [^\n]* to VMI default/demo", 20s);
    const std::string added = guest.wait_for_line("usbloop-guest: usb add " + id, 10s, mark);
    disks[id] = wait_disk(guest, added.substr(added.find("path=") + 5, 3));
    CHECK(guest_sha256(guest, disks[id], content.first) == content.second);
  }

  proxy.cut_first();
  const std::string removed = guest.wait_for_line("usbloop-guest: usb remove ", 5s, mark);
  const std::string other = removed.find(small.id) == std::string::npos ? small.id : large.id;
  guest.must_run("echo 3 > /proc/sys/vm/drop_caches");
  CHECK(guest_sha256(guest, disks[other], expected[other].first) == expected[other].second);
  CHECK(client.running());

  client.signal(SIGINT);
  CHECK(client.wait_exit(5s).code == 1);  // the worst: one was lost
  CHECK(client.err().find("Stopped; the device is back.") != std::string::npos);
  guest.wait_for_line("usbloop-guest: usb remove " + other, 5s, mark);
}
