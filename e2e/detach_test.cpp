// The end of a session: guest and slot must know of it, however it comes, and long before a ping would tell them.
#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

struct Desk : GuestScene {
  Client client(const std::string& name, const std::string& id) {
    const fs::path image = dir.path() / (id.substr(5) + ".img");  // an image serves one device at a time
    make_random_image(image, 4 << 20, 1);
    return Client(dir, name, loop, {.image = image, .id = id}, "demo");
  }
  /// Asks for a slot by hand; the status line of the answer.
  std::string ask_for_slot(std::unique_ptr<TlsSocket>& socket) {
    socket = std::make_unique<TlsSocket>(loop.api().host(), loop.api().port(), loop.api().ca_file());
    socket->send(upgrade_head(usbredir_path("demo"), loop.api().token()));
    return socket->receive_through("\r\n\r\n", 10s).substr(0, 12);
  }
};

/// The guest loses the device after `end`. The fourth slot is the only free one, and the next client gets it. The end
/// of the connection has to tell: 15 s is half of what pings need, and long even for a busy machine.
void check_end(Desk& desk, const std::string& name, const std::function<void(Process&)>& end) {
  CAPTURE(name);
  std::size_t mark = desk.guest.mark();
  Client fourth = desk.client(name, "1234:0004");
  desk.guest.wait_for_line("usbloop-guest: usb add 1234:0004 .*path=1-4", 10s, mark);
  wait_disk(desk.guest, "1-4");  // see slots_test: not in the middle of the enumeration
  std::unique_ptr<TlsSocket> socket;
  CHECK(desk.ask_for_slot(socket) == "HTTP/1.1 500");  // all four are busy

  mark = desk.guest.mark();
  const Stopwatch watch;
  end(fourth.process());
  CHECK_NOTHROW(desk.guest.wait_for_line("usbloop-guest: usb remove 1234:0004", 15s, mark));
  CHECK(holds_within(15s, [&] { return desk.ask_for_slot(socket) == "HTTP/1.1 101"; }));
  MESSAGE("the guest and the slot knew of it within " << watch.elapsed().count() << " ms");
}

}  // namespace

TEST_CASE(
    "Ctrl-C, SIGTERM and kill -9 of the client: the guest loses the device and the slot is free, without a ping") {
  Desk desk;
  Client first = desk.client("first", "1234:0001");
  Client second = desk.client("second", "1234:0002");
  Client third = desk.client("third", "1234:0003");
  check_end(desk, "interrupted", [](Process& client) {
    client.signal(SIGINT);
    CHECK(client.wait_exit(15s).code == 0);
  });
  check_end(desk, "terminated", [](Process& client) {
    client.signal(SIGTERM);
    CHECK(client.wait_exit(15s).code == 0);
  });
  check_end(desk, "killed", [](Process& client) { client.kill_hard(); });
  // The others have noticed nothing.
  for (Client* other : {&first, &second, &third}) CHECK(other->process().running());
  CHECK(desk.guest.run("ls /sys/bus/usb/devices | grep -c '^1-[123]$'").output == "3");
  first.stop();
  second.stop();
  third.stop();
}

TEST_CASE(
    "the client is killed in the middle of a read: the guest gets an error at once and the next client is served") {
  Desk desk;
  {
    Client client = desk.client("client", "0951:1666");
    const std::string disk = wait_disk(desk.guest, "1-1");
    desk.guest.start("while dd if=/dev/" + disk + " of=/dev/null bs=64k iflag=direct 2>/dev/null; do :; done");
    wait_until("traffic", 10s, [&] { return cpu_time(client.process().pid()) > 50ms; });
    client.process().kill_hard();
    CHECK_NOTHROW(desk.guest.finish(15s));
  }
  Client next = desk.client("next", "0951:1667");
  const std::string disk = wait_disk(desk.guest, "1-1");
  CHECK(guest_sha256(desk.guest, disk, 4 << 20) == sha256_of_file(desk.dir.path() / "1667.img"));
  next.stop();
}
