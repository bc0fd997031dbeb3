// KubeVirt's page, word for word, without its hardware: the desk of the examples in a real guest, through the client
// and through a program that is started as virtctl starts usbredirect.
#include <doctest/doctest.h>

#include "e2e/desk_rig.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// Somebody at a terminal, with `usbredir` and `usbredirect` on the PATH, the desk, and the cluster.
class Person {
 public:
  Person(const CaseDir& dir, const PageDesk& desk, const Loop& loop) : dir_(dir), env_(desk.env()) {
    const fs::path bin = dir.subdir("bin");
    fs::create_symlink(kubectl_usbredir(), bin / "usbredir");
    fs::create_symlink(device_sim(), bin / "usbredirect");
    env_["PATH"] = bin.string() + ":" + std::getenv("PATH");
    env_["KUBECONFIG"] = loop.kubeconfig().string();
    env_["HOME"] = dir.subdir("home").string();
  }

  Process types(std::vector<std::string> words) {
    return Process(
        {.name = "line" + std::to_string(++lines_), .argv = std::move(words), .log_dir = dir_.path(), .env = env_});
  }

 private:
  const CaseDir& dir_;
  std::map<std::string, std::string> env_;
  int lines_ = 0;
};

void stop(Process& process) {
  process.signal(SIGINT);
  const auto end = process.wait_exit(10s);
  CHECK_MESSAGE(end.code == 0, process.output());
}

/// The port where the guest has seen the device come since `mark`.
std::string port_of(GuestConsole& guest, const std::string& id, std::size_t mark) {
  const std::string added = guest.wait_for_line("usbloop-guest: usb add " + id, 20s, mark);
  return added.substr(added.find("path=") + 5, 3);
}

std::string driver_at(GuestConsole& guest, const std::string& interface) {
  return guest.must_run("for i in $(seq 100); do [ -e /sys/bus/usb/devices/" + interface +
                        "/driver ] && break; usleep 50000; done; basename $(readlink /sys/bus/usb/devices/" +
                        interface + "/driver)");
}

}  // namespace

TEST_CASE("the commands of KubeVirt's page work without its hardware, by our client and by virtctl's way") {
  const CaseDir dir;
  PageDesk desk(dir);
  Loop loop(dir);
  Vmi vmi(loop, "vm");
  GuestConsole& guest = vmi.boot();
  Person person(dir, desk, loop);

  std::size_t mark = guest.mark();
  Process stick = person.types({"usbredir", "0951:1666", "vm"});
  const auto disk = [&](const std::string& id) { return wait_disk(guest, port_of(guest, id, mark)); };
  CHECK(guest_sha256(guest, disk("0951:1666"), PageDesk::kImageBytes) == desk.stick_sha);
  Process camera = person.types({"usbredir", "01-03", "vm"});
  CHECK(driver_at(guest, port_of(guest, "13d3:5406", mark) + ":1.1") == "uvcvideo");
  Process ssd = person.types({"usbredir", "0781:55ae", "vm"});
  CHECK(driver_at(guest, port_of(guest, "0781:55ae", mark) + ":1.0") == "uas");

  // The second one hears who has it.
  Process second = person.types({"usbredir", "02-08", "vm"});
  CHECK(second.wait_exit(20s).code == 1);
  const std::string holder = "kubectl-usbredir (process " + std::to_string(stick.pid()) + ") has it";
  CHECK_MESSAGE(second.err().find(holder) != std::string::npos, second.err());

  // Pulled out while it is read, and plugged in again.
  mark = guest.mark();
  const std::string begin = "(while dd if=/dev/sda of=/dev/null bs=1M iflag=direct; do :; done) >/dev/null 2>&1 & true";
  guest.must_run(begin);
  desk.ctl({"unplug", "stick"});
  guest.wait_for_line("usbloop-guest: usb remove 0951:1666", 5s, mark);
  stick.wait_err("0951:1666[^\n]* is unplugged: waiting until it is plugged in again", 10s);
  CHECK(desk.ctl({"list", "stick"}).find("unplugged") != std::string::npos);
  mark = guest.mark();
  desk.ctl({"plug", "stick"});
  CHECK(guest_sha256(guest, disk("0951:1666"), PageDesk::kImageBytes) == desk.stick_sha);
  for (Process* process : {&stick, &camera, &ssd}) stop(*process);
  CHECK(desk.ctl({"list"}).find("with ") == std::string::npos);

  // virtctl starts `usbredirect --device X --to 127.0.0.1:PORT`, and so does --launch.
  mark = guest.mark();
  Process by_id = person.types({"usbredir", "--launch", "0951:1666", "vm"});
  CHECK(guest_sha256(guest, disk("0951:1666"), PageDesk::kImageBytes) == desk.stick_sha);
  Process by_address = person.types({"usbredir", "--launch", "01-10", "vm"});
  CHECK(guest_sha256(guest, disk("0781:55ae"), PageDesk::kImageBytes) == desk.ssd_sha);
  Process twice = person.types({"usbredirect", "--device", "01-10", "--to", "127.0.0.1:9"});
  CHECK(twice.wait_exit(10s).code == 1);
  CHECK_MESSAGE(twice.err().find("usbredirect (process ") != std::string::npos, twice.err());
  stop(by_id);
  Process camera_by_address = person.types({"usbredir", "--launch", "01-03", "vm"});
  CHECK(driver_at(guest, port_of(guest, "13d3:5406", mark) + ":1.1") == "uvcvideo");
  stop(camera_by_address);
  desk.ctl({"unplug", "01-10"});
  guest.wait_for_line("usbloop-guest: usb remove 0781:55ae", 5s, mark);
  CHECK(by_address.wait_exit(10s).code == 1);
  desk.ctl({"plug", "01-10"});

  // The SSD the other way round: by its address through our client, and by its id through the other program.
  for (const bool is_launched : {false, true}) {
    CAPTURE(is_launched);
    mark = guest.mark();
    Process ssd_again = is_launched ? person.types({"usbredir", "--launch", "0781:55ae", "vm"})
                                    : person.types({"usbredir", "01-10", "vm"});
    CHECK(driver_at(guest, port_of(guest, "0781:55ae", mark) + ":1.0") == "uas");
    stop(ssd_again);
    guest.wait_for_line("usbloop-guest: usb remove 0781:55ae", 5s, mark);
  }
  desk.stop();
}
