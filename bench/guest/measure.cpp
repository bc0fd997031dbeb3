#include "bench/guest/measure.h"

#include <chrono>
#include <csignal>
#include <random>
#include <sstream>

#include "bench/cleanup.h"
#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using namespace std::chrono_literals;
using e2e::Failure;

constexpr std::size_t kMiB = 1 << 20;

class GuestRun {
 public:
  explicit GuestRun(const GuestOptions& options)
      : options_(options), loop_(dir_), vmi_(loop_, "bench"), guest_(vmi_.boot()), stick_{.image = image()} {
    e2e::make_random_image(stick_.image, options.mib * kMiB, 1);
  }

  void round(const std::string& speed, GuestFigures& figures) {
    stick_.speed = speed;
    const bool direct_first = random_() % 2 == 0;
    if (direct_first) figures.direct.push_back(direct());
    figures.ours.push_back(ours());
    if (!direct_first) figures.direct.push_back(direct());
  }

 private:
  [[nodiscard]] std::filesystem::path image() const { return dir_.path() / "stick.img"; }
  [[nodiscard]] std::string name(const char* program) { return program + std::to_string(++attached_); }

  /// device-sim at the socket of the slot that a client would get.
  double direct() {
    const std::string socket = vmi_.run_dir() / "virt-usbredir-0";
    e2e::Process device({.name = name("device-sim"),
                         .argv = {e2e::device_sim(), "--emulate", stick_.spec(), "--to", "unix:" + socket},
                         .log_dir = dir_.path()});
    const double speed = read();
    device.signal(SIGTERM);
    device.wait_exit(5s);
    wait_detached();
    return speed;
  }

  double ours() {
    e2e::Client client(dir_, name("client"), loop_, stick_, "bench");
    const double speed = read();
    client.process().signal(SIGINT);
    client.process().wait_exit(5s);
    wait_detached();
    return speed;
  }

  double read() {
    const std::string disk = e2e::wait_disk(guest_, stick_.speed == "super" ? "2-1" : "1-1");
    // By the guest's uptime, which counts hundredths of a second: all reads together.
    const std::string command = "ok=yes; read begin rest </proc/uptime; for i in $(seq " +
                                std::to_string(options_.reads) + "); do echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/" +
                                disk +
                                " of=/dev/null bs=1M 2>/dev/null || ok=no; done; read end rest </proc/uptime; "
                                "echo $ok $begin $end";
    const std::string said = guest_.must_run(command, 120s);
    std::istringstream words(said);
    std::string fine;
    double begin = 0;
    double end = 0;
    if (!(words >> fine >> begin >> end) || fine != "yes" || end <= begin) throw Failure("the guest said: " + said);
    return static_cast<double>(options_.mib * kMiB) * options_.reads / 1e6 / (end - begin);
  }

  void wait_detached() {
    e2e::wait_until("no disk in the guest", 10s,
                    [&] { return guest_.run("ls /sys/block | grep -c '^sd'").output == "0"; });
  }

  const GuestOptions& options_;
  HarnessHome home_;
  e2e::CaseDir dir_;
  e2e::Loop loop_;
  e2e::Vmi vmi_;
  e2e::GuestConsole& guest_;
  e2e::Stick stick_;
  int attached_ = 0;
  std::mt19937 random_{std::random_device{}()};
};

}  // namespace

GuestResults measure_guest(const GuestOptions& options, const std::function<void(const std::string&)>& progress) {
  const auto begin = std::chrono::steady_clock::now();
  progress("starting a loop and booting a guest");
  GuestRun run(options);
  GuestResults results;
  for (int round = 1; round <= options.rounds; ++round) {
    progress("round " + std::to_string(round) + " of " + std::to_string(options.rounds));
    for (const char* speed : {"high", "super"}) run.round(speed, results.by_speed[speed]);
  }
  results.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return results;
}

}  // namespace usbloop::bench
