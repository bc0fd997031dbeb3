// Guests that begin as copies of a template in place of a boot.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;
/// Under KVM guests are booted.
const std::vector<std::string> kEmulated = {"--accel", "tcg"};

bool is_cloned(const Vmi& vmi) {
  const json object = vmi.object();
  const json& conditions = object.at("status").at("conditions");
  return std::any_of(conditions.begin(), conditions.end(), [](const json& condition) {
    return condition.at("type") == "usbloop.dev/Cloned" && condition.at("status") == "True";
  });
}

/// Seconds since the epoch.
double host_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The guest's clock, by the time of a file: busybox' date knows whole seconds only.
double guest_time(GuestConsole& guest) {
  const std::string text = guest.must_run(": >/tmp/now; stat -c %y /tmp/now");
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &parts);
  if (rest == nullptr) throw Failure("no time: " + text);
  return static_cast<double>(::timegm(&parts)) + std::stod("0" + std::string(rest).substr(0, 10));
}

void check_clock(GuestConsole& guest) {
  const double before = host_time();
  const double time = guest_time(guest);
  const double after = host_time();
  CHECK_MESSAGE(time > before - 0.1, (before - time) << " s behind");
  CHECK_MESSAGE(time < after + 0.1, (time - after) << " s ahead");
}

std::string one_line_of(GuestConsole& guest, const std::string& file) { return guest.must_run("cat " + file); }

/// The folders of a directory of templates, those that are being made among them.
std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory, code)) names.push_back(entry.path().filename());
  return names;
}

/// A loop with templates of its own, of which it has none yet.
struct OwnTemplates {
  CaseDir dir;
  fs::path templates = dir.path() / "templates";
  Loop loop{dir, {.nodes = {}, .launcher_options = kEmulated, .templates = templates}};

  void wait_template() {
    wait_until("the template", 60s, [this] {
      const auto names = names_in(templates);
      return names.size() == 1 && !contains(names.front(), ".new");
    });
  }
  [[nodiscard]] fs::path state() const { return templates / names_in(templates).at(0) / "state"; }
};

}  // namespace

TEST_CASE("two copies of one template differ where machines do") {
  const CaseDir dir;
  Loop loop(dir, {.launcher_options = kEmulated});
  Vmi one(loop, "one");
  Vmi two(loop, "two");
  GuestConsole& first = one.boot();
  GuestConsole& second = two.boot();
  REQUIRE(is_cloned(one));
  REQUIRE(is_cloned(two));
  check_clock(first);
  check_clock(second);
  CHECK(one_line_of(first, "/proc/sys/kernel/hostname") == "one");
  CHECK(one_line_of(second, "/proc/sys/kernel/hostname") == "two");
  CHECK(one_line_of(first, "/etc/machine-id") != one_line_of(second, "/etc/machine-id"));
  CHECK(one_line_of(first, "/etc/machine-id").size() == 32);
  for (const char* command : {"cat /proc/sys/kernel/random/boot_id", "cat /proc/sys/kernel/random/uuid",
                              "head -c 32 /dev/urandom | sha256sum", "head -c 32 /dev/random | sha256sum"}) {
    CAPTURE(command);
    CHECK(first.must_run(command) != second.must_run(command));
  }
  for (GuestConsole* guest : {&first, &second}) {
    // No network adapter, so no address of one either.
    CHECK(guest->must_run("ls /sys/class/net") == "lo");
    CHECK_FALSE(contains(one_line_of(*guest, "/proc/cmdline"), "usbloop.template"));
    // Its randomness has been seeded, not only stirred: the kernel says so to whoever waits for it.
    CHECK(guest->must_run("dmesg | grep -c 'crng init done'") == "1");
  }
}

TEST_CASE("a copy has its slots, and a reboot in it is a boot of its own machine") {
  const CaseDir dir;
  Loop loop(dir, {.launcher_options = kEmulated});
  Vmi vmi(loop, "demo");
  GuestConsole& guest = vmi.boot();
  REQUIRE(is_cloned(vmi));
  const fs::path image = dir.path() / "stick.img";
  const std::string sha = make_random_image(image, kMiB, 1);
  Client client(dir, "client", loop, {.image = image}, "demo");
  CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), kMiB) == sha);
  const std::string machine_id = one_line_of(guest, "/etc/machine-id");
  const std::string boot_id = one_line_of(guest, "/proc/sys/kernel/random/boot_id");

  const std::size_t mark = guest.mark();
  guest.start("reboot -f");
  guest.wait_for_line("usbloop-guest: ready", 60s, mark);
  guest.wait_ready();
  CHECK(one_line_of(guest, "/proc/sys/kernel/hostname") == "demo");
  CHECK(one_line_of(guest, "/etc/machine-id") == machine_id);
  CHECK(one_line_of(guest, "/proc/sys/kernel/random/boot_id") != boot_id);
  CHECK(one_line_of(guest, "/sys/class/dmi/id/product_uuid") == vmi.uid());
  CHECK(guest_sha256(guest, wait_disk(guest, "1-1"), kMiB) == sha);
  client.stop();
}

TEST_CASE("a launcher is killed while it makes a template, and while it makes a copy: nothing half-made is used") {
  OwnTemplates desk;
  desk.loop.start_launcher("node-a");
  wait_until("a template to be begun", 20s, [&] {
    const auto names = names_in(desk.templates);
    return !names.empty() && fs::exists(desk.templates / names.front() / "machine/qmp.sock");
  });
  desk.loop.launcher().kill_hard();
  CHECK(holds_within(10s, [&] {
    reap_orphans();
    return processes_of(desk.templates).empty();
  }));
  for (const auto& name : names_in(desk.templates)) CHECK(contains(name, ".new"));

  desk.loop.start_launcher("node-a");
  desk.wait_template();
  Vmi vmi(desk.loop, "demo");
  const fs::path folder = desk.loop.run_dir("node-a") / vmi.uid();
  wait_until("a copy to be begun", 20s, [&] { return !read_file(folder / "qemu.pid").empty(); });
  const pid_t half_made = vmi.qemu_pid();
  ::kill(half_made, SIGSTOP);  // so that it is not whole before its launcher has died
  desk.loop.launcher().kill_hard();
  REQUIRE(contains(read_file(folder / "vmi.json"), "being made"));
  desk.loop.start_launcher("node-a");
  GuestConsole& guest = vmi.boot();
  CHECK(is_cloned(vmi));
  CHECK(one_line_of(guest, "/proc/sys/kernel/hostname") == "demo");
  check_clock(guest);
  CHECK(vmi.qemu_pid() != half_made);
  reap_orphans();
  CHECK(processes_of(vmi.run_dir()).size() == 1);

  // A template that was tampered with is not used.
  std::ofstream(desk.state()) << "other";
  Vmi booted(desk.loop, "booted");
  booted.boot();
  CHECK_FALSE(is_cloned(booted));
  const std::string log = desk.loop.launcher().err();
  CHECK_MESSAGE(contains(log, "its sum is wrong"), log);
  CHECK_MESSAGE(contains(log, "booting the guest of VMI default/booted"), log);

  // A copy that is whole is taken over, and its template may go.
  guest.must_run("echo remembered >/tmp/word");
  desk.loop.launcher().kill_hard();
  fs::remove_all(desk.templates);
  desk.loop.start_launcher("node-a");
  vmi.wait_phase("Running");
  CHECK(guest.must_run("cat /tmp/word; sha256sum /bin/busybox >/dev/null && echo whole") == "remembered\nwhole");
  CHECK(is_cloned(vmi));
}
