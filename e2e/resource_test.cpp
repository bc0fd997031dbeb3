// What a session costs: processor time when nothing happens, memory when somebody stops reading.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/usbredir_bytes.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;

struct Desk : GuestScene {
  fs::path image = dir.path() / "stick.img";
  std::string sha = make_random_image(image, 16 * kMiB, 1);
};

/// Stops a process (SIGSTOP) while it lives, so that it neither reads nor writes.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : pid_(pid) { ::kill(pid_, SIGSTOP); }
  ~Stopped() { ::kill(pid_, SIGCONT); }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("with a device attached and no traffic the client and the daemons use less than one percent of a core") {
  Desk desk;
  Client client(desk.dir, "client", desk.loop, {.image = desk.image}, "demo");
  CHECK(guest_sha256(desk.guest, wait_disk(desk.guest, "1-1"), 16 * kMiB) == desk.sha);
  const std::vector<pid_t> pids = {client.process().pid(), desk.loop.apiserver().pid(), desk.loop.launcher().pid()};
  std::vector<milliseconds> before;
  for (const pid_t pid : pids) before.push_back(cpu_time(pid));
  const milliseconds window = 10s;
  std::this_thread::sleep_for(window);  // the time that is measured, not a wait for anything
  for (std::size_t i = 0; i < pids.size(); ++i) {
    const auto used = cpu_time(pids[i]) - before[i];
    INFO("process ", i, " (client, apiserver-sim, launcher-sim) used ", used.count(), " ms in 10 s");
    CHECK(used < window / 100);
  }
  client.stop();
}

TEST_CASE("a guest that is stopped in the middle of a transfer stops the traffic, not the memory, and goes on right") {
  Desk desk;
  Client client(desk.dir, "client", desk.loop, {.image = desk.image, .speed = "super"}, "demo");
  const std::string disk = wait_disk(desk.guest, "2-1");
  CHECK(guest_sha256(desk.guest, disk, 16 * kMiB) == desk.sha);  // everybody's buffers have been used once
  const std::vector<pid_t> pids = {client.process().pid(), desk.loop.apiserver().pid(), desk.loop.launcher().pid()};
  std::vector<std::uint64_t> before;
  for (const pid_t pid : pids) before.push_back(peak_resident_kib(pid));

  desk.guest.must_run("echo 3 > /proc/sys/vm/drop_caches");
  desk.guest.start("i=0; while [ $i -lt 4 ]; do dd if=/dev/" + disk + " bs=1M iflag=direct 2>/dev/null | sha256sum; " +
                   "i=$((i + 1)); done");
  const auto busy_from = cpu_time(client.process().pid());
  wait_until("traffic", 20s, [&] { return cpu_time(client.process().pid()) >= busy_from + 20ms; });
  {
    const Stopped qemu(desk.vmi.qemu_pid());
    // The traffic ebbs: the client has answered what was asked.
    auto last = cpu_time(client.process().pid());
    auto quiet = Stopwatch();
    wait_until("the client to be quiet", 20s, [&] {
      const auto now = cpu_time(client.process().pid());
      if (now != last) quiet = Stopwatch();
      last = now;
      return quiet.elapsed() > 1s;
    });
  }
  const GuestResult result = desk.guest.finish(90s);
  CHECK(result.status == 0);
  for (int line = 0; line < 4; ++line) {
    CHECK(result.output.substr(static_cast<std::size_t>(line) * (64 + 4), 64) == desk.sha);
  }
  for (std::size_t i = 0; i < pids.size(); ++i) {
    INFO("process ", i, " (client, apiserver-sim, launcher-sim): ", before[i], " KiB before");
    CHECK(peak_resident_kib(pids[i]) < before[i] + 8 * 1024);
  }
  client.stop();
}

TEST_CASE("a stranger who floods a guest that does not read is held back, and the memory stays bounded") {
  Desk desk;
  const std::vector<pid_t> pids = {desk.loop.apiserver().pid(), desk.loop.launcher().pid()};
  std::vector<std::uint64_t> before;
  for (const pid_t pid : pids) before.push_back(peak_resident_kib(pid));
  TlsSocket wire(desk.loop.api().host(), desk.loop.api().port(), desk.loop.api().ca_file());
  wire.send(upgrade_head(usbredir_path("demo"), desk.loop.api().token()));
  REQUIRE(wire.receive_through("\r\n\r\n", 10s).starts_with("HTTP/1.1 101 "));
  wire.send(encode({.payload = qemu_hello()}));
  // An answer that nobody asked for, again and again.
  const std::string frame = encode({.payload = bulk_answer(random_bytes(250'000, 3))});
  std::size_t sent = 0;
  {
    const Stopped qemu(desk.vmi.qemu_pid());
    while (sent < 512 * kMiB && wire.send(frame, 1s, &sent)) {
    }
    CHECK_MESSAGE(sent < 32 * kMiB, sent << " bytes were taken though nobody read them");
    for (std::size_t i = 0; i < pids.size(); ++i) {
      INFO("process ", i, " (apiserver-sim, launcher-sim): ", before[i], " KiB before");
      CHECK(peak_resident_kib(pids[i]) < before[i] + 8 * 1024);
    }
    CHECK(desk.loop.api().get(vmis_path()).status == 200);  // others are served meanwhile
  }
  CHECK(desk.guest.must_run("echo alive") == "alive");
}

TEST_CASE("a client that does not read holds the guest's writes back, and goes on right") {
  Desk desk;
  Client client(desk.dir, "client", desk.loop, {.image = desk.image, .speed = "super"}, "demo");
  const std::string disk = wait_disk(desk.guest, "2-1");
  desk.guest.must_run("dd if=/dev/zero of=/dev/" + disk + " bs=1M count=8 conv=notrunc,fsync");
  const std::vector<pid_t> pids = {desk.loop.apiserver().pid(), desk.loop.launcher().pid(), desk.vmi.qemu_pid()};
  std::vector<std::uint64_t> before;
  for (const pid_t pid : pids) before.push_back(peak_resident_kib(pid));
  {
    const Stopped stopped(client.process().pid());
    desk.guest.start("tr '\\0' u < /dev/zero | dd of=/dev/" + disk +
                     " bs=1M count=16 iflag=fullblock conv=notrunc,fsync");
    auto last = cpu_time(desk.vmi.qemu_pid());
    auto window = Stopwatch();
    // Waits until the guest has nothing left to do but to wait for its stick.
    wait_until("the guest to wait", 30s, [&] {
      if (window.elapsed() < 1s) return false;
      const auto now = cpu_time(desk.vmi.qemu_pid());
      const bool waits = now - last < 200ms;
      last = now;
      window = Stopwatch();
      return waits;
    });
    for (std::size_t i = 0; i < pids.size() - 1; ++i) {
      INFO("process ", i, " (apiserver-sim, launcher-sim): ", before[i], " KiB before");
      CHECK(peak_resident_kib(pids[i]) < before[i] + 8 * 1024);
    }
    CHECK(peak_resident_kib(pids.back()) < before.back() + 64 * 1024);  // QEMU has the guest's own pages to touch
  }
  CHECK(desk.guest.finish(60s).status == 0);
  client.stop();
  CHECK(read_file(desk.image) == std::string(16 * kMiB, 'u'));
}
