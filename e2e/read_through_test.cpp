// What goes on in the middle of a long read: the API server and the node are killed, the guest is reset, its VM is
// stopped and started. The device is back by itself each time, the next read is right, and nobody's memory has grown.
#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>

#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMiB = 1 << 20;
/// 256, or less where the whole test has to be short.
constexpr std::size_t kSize = USBLOOP_READ_MIB * kMiB;
/// More than a process may keep: of what is read in one go it would show the whole.
constexpr std::uint64_t kGrowthKib = 12 * 1024;

constexpr const char* kMachines = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";

/// A VM with a stick, whose client stays the same all the time.
class ReadingDesk {
 public:
  ReadingDesk() {
    const auto answer = loop_.api().create(kMachines, machine());
    if (answer.status != 201) throw Failure(answer.body);
    open_console();
    client_ = std::make_unique<Client>(dir_, "client", loop_, Stick{.image = image_, .speed = "super"}, "demo");
    check_read();
    for (const auto& [name, pid] : processes()) peaks_[name] = peak_resident_kib(pid);
  }

  Loop& loop() { return loop_; }

  void in_the_middle_of_a_read(const std::function<void()>& happens) {
    const std::string disk = wait_disk(*guest_, "2-1", 60s);
    guest_->must_run("(while dd if=/dev/" + disk + " of=/dev/null bs=1M iflag=direct 2>/dev/null; do :; done &)");
    wait_until("a quarter of the stick to have been read", 120s, [&] {
      const std::string sectors = guest_->run("set -- $(cat /sys/block/" + disk + "/stat); echo $3").output;
      return std::stoull("0" + sectors) * 512 >= kSize / 4;
    });
    happens();
  }

  /// The session was lost and is there again, so many times since the beginning.
  void wait_redirected_again(std::size_t times) {
    const std::string line = "to VMI default/demo again";
    wait_until("the client to redirect again, for the time " + std::to_string(times), 90s, [&] {
      const std::string said = client_->process().err();
      std::size_t count = 0;
      for (auto at = said.find(line); at != std::string::npos; at = said.find(line, at + 1)) ++count;
      return count >= times;
    });
  }

  void check_read() {
    const std::string disk = wait_disk(*guest_, "2-1", 60s);
    const std::string read = "dd if=/dev/" + disk + " bs=1M 2>/dev/null | sha256sum";
    CHECK(guest_->must_run(read, 300s).substr(0, 64) == sha_);
  }

  void check_memory() {
    for (const auto& [name, pid] : processes()) {
      INFO(name, ": ", peaks_[name], " KiB at most before");
      CHECK(peak_resident_kib(pid) < peaks_[name] + kGrowthKib);
    }
  }

  void reset() {
    put(subresource_path("demo", "reset"));
    guest_->wait_ready(120s);
  }

  void stop_and_start() {
    const std::string path = "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/demo/";
    put(path + "stop");
    wait_until("the VMI to be gone", 60s, [&] { return loop_.api().get(vmis_path() + "/demo").status == 404; });
    put(path + "start");
    open_console();
  }

  void end() { client_->stop(); }

 private:
  static json machine() {
    json spec = vmi_manifest("demo", {.grace_seconds = 0}).at("spec");
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachine"},
            {"metadata", {{"name", "demo"}}},
            {"spec", {{"runStrategy", "Always"}, {"template", {{"spec", std::move(spec)}}}}}};
  }

  void open_console() {
    json vmi;
    wait_until("the VMI to run", 60s, [&] {
      const auto answer = loop_.api().get(vmis_path() + "/demo");
      if (answer.status != 200) return false;
      vmi = answer.json();
      return vmi.value("/status/phase"_json_pointer, "") == "Running";
    });
    const fs::path dir = loop_.run_dir("node-a") / vmi.at("metadata").at("uid").get<std::string>();
    guest_ = std::make_unique<GuestConsole>(dir / "virt-serial0", dir / "serial.log");
    guest_->wait_ready();
  }

  void put(const std::string& path) {
    const auto answer = loop_.api().put(path, "{}");
    if (answer.status / 100 != 2) throw Failure(path + ": " + answer.body);
  }

  std::map<std::string, pid_t> processes() {
    return {{"the client", client_->process().pid()},
            {"apiserver-sim", loop_.apiserver().pid()},
            {"launcher-sim", loop_.launcher().pid()}};
  }

  CaseDir dir_;
  Loop loop_{dir_};
  fs::path image_ = dir_.path() / "stick.img";
  std::string sha_ = make_random_image(image_, kSize, 1);
  std::unique_ptr<GuestConsole> guest_;
  std::unique_ptr<Client> client_;
  std::map<std::string, std::uint64_t> peaks_;
};

}  // namespace

TEST_CASE("a stick is back, right and without more memory, after what happens in the middle of a read") {
  ReadingDesk desk;
  Loop& loop = desk.loop();
  // The client keeps its session: the guest finds the stick still plugged in.
  desk.in_the_middle_of_a_read([&] { desk.reset(); });
  desk.check_read();
  desk.check_memory();

  desk.in_the_middle_of_a_read([&] { desk.stop_and_start(); });
  desk.wait_redirected_again(1);
  desk.check_read();
  desk.check_memory();

  desk.in_the_middle_of_a_read([&] {
    loop.apiserver().kill_hard();
    loop.start_apiserver();
  });
  desk.wait_redirected_again(2);
  desk.check_read();
  desk.check_memory();

  desk.in_the_middle_of_a_read([&] {
    loop.launcher().kill_hard();
    loop.start_launcher();
  });
  desk.wait_redirected_again(3);
  desk.check_read();
  desk.check_memory();
  desk.end();
}
