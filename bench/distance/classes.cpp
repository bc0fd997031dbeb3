#include "bench/distance/classes.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <regex>
#include <sstream>

#include "bench/cleanup.h"
#include "e2e/harness/client.h"
#include "e2e/harness/delay_proxy.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using namespace std::chrono_literals;
using e2e::Failure;

class ClassRun {
 public:
  ClassRun() : loop_(dir_), vmi_(loop_, "bench"), guest_(vmi_.boot()) { bring_program(); }

  void round(int round_trip, ClassFigures& figures) {
    const e2e::DelayProxy proxy(static_cast<std::uint16_t>(loop_.api().port()),
                                std::chrono::microseconds(round_trip * 500));
    figures.serial_full[round_trip].push_back(serial(proxy, "full", 64));
    figures.serial_high[round_trip].push_back(serial(proxy, "high", 512));
    figures.camera[round_trip].push_back(camera(proxy));
  }

 private:
  /// The guest's program for cameras comes on a stick.
  void bring_program() {
    constexpr std::uintmax_t kPiece = 64 * 1024;
    const auto image = dir_.path() / "capture.img";
    std::filesystem::copy_file(USBLOOP_CAPTURE, image);
    std::filesystem::resize_file(image, (std::filesystem::file_size(image) + kPiece - 1) / kPiece * kPiece);
    e2e::Client stick(dir_, "tools", loop_, {.image = image}, "bench");
    const std::string disk = e2e::wait_disk(guest_, "1-1");
    guest_.must_run("dd if=/dev/" + disk + " of=/tmp/capture bs=64k 2>/dev/null; chmod 755 /tmp/capture", 60s);
    stick.stop();
    e2e::wait_until("no disk in the guest", 20s,
                    [&] { return guest_.run("ls /sys/block | grep -c '^sd'").output == "0"; });
  }

  e2e::Process plug(const e2e::DelayProxy& proxy, const std::string& spec, const std::string& node) {
    e2e::Process client =
        e2e::start_client(dir_, "device" + std::to_string(++plugged_),
                          {"--kubeconfig", loop_.kubeconfig(), "--server",
                           "https://127.0.0.1:" + std::to_string(proxy.port()), "--emulate", spec, "bench"});
    e2e::wait_until("the guest has " + node, 60s, [&] { return guest_.run("test -c " + node).status == 0; });
    return client;
  }

  void unplug(e2e::Process& client, const std::string& node) {
    client.signal(SIGINT);
    client.wait_exit(10s);
    e2e::wait_until("the guest has no " + node, 20s, [&] { return guest_.run("test -c " + node).status != 0; });
  }

  /// kB/s that come back.
  double serial(const e2e::DelayProxy& proxy, const std::string& speed, int kib) {
    e2e::Process client = plug(proxy, "serial,speed=" + speed, "/dev/ttyACM0");
    const std::string size = std::to_string(kib * 1024);
    const std::string said = guest_.must_run(
        "exec 4<>/dev/ttyACM0; stty raw -echo <&4; read begin rest </proc/uptime; head -c " + size +
            " <&4 >/tmp/back & head -c " + size +
            " /dev/zero >&4; wait; read end rest </proc/uptime; exec 4>&-; echo $(wc -c </tmp/back) $begin $end",
        120s);
    unplug(client, "/dev/ttyACM0");
    std::istringstream words(said);
    std::string bytes;
    double begin = 0;
    double end = 0;
    if (!(words >> bytes >> begin >> end) || bytes != size || end <= begin) throw Failure("the guest said: " + said);
    return kib * 1.024 / (end - begin);
  }

  double camera(const e2e::DelayProxy& proxy) {
    constexpr int kPictures = 60;
    e2e::Process client = plug(proxy, "camera", "/dev/video0");
    const std::string said = guest_.must_run("/tmp/capture /dev/video0 320 240 30 " + std::to_string(kPictures), 120s);
    unplug(client, "/dev/video0");
    std::smatch match;
    const std::regex report("pictures=60 damaged=0 lost=\\d+ milliseconds=(\\d+)");
    if (!std::regex_search(said, match, report)) throw Failure("the guest said: " + said);
    return 1000.0 * (kPictures - 1) / std::stod(match[1]);
  }

  HarnessHome home_;
  e2e::CaseDir dir_;
  e2e::Loop loop_;
  e2e::Vmi vmi_;
  e2e::GuestConsole& guest_;
  int plugged_ = 0;
};

}  // namespace

ClassFigures measure_classes(int rounds, const std::vector<int>& round_trips,
                             const std::function<void(const std::string&)>& progress) {
  progress("starting a loop and booting a guest for a serial port and a camera");
  ClassRun run;
  ClassFigures figures;
  for (int round = 1; round <= rounds; ++round) {
    for (const int round_trip : round_trips) {
      progress("round " + std::to_string(round) + " of " + std::to_string(rounds) + ", serial port and camera, " +
               std::to_string(round_trip) + " ms");
      run.round(round_trip, figures);
    }
  }
  return figures;
}

}  // namespace usbloop::bench
