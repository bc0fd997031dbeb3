#include "bench/distance/measure.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <sstream>

#include "bench/cleanup.h"
#include "bench/distance/delay_proxy.h"
#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using namespace std::chrono_literals;
using e2e::Failure;

constexpr std::size_t kBytesInMiB = 1 << 20;
constexpr std::size_t kReaders = 4;

class DistanceRun {
 public:
  explicit DistanceRun(const DistanceOptions& options)
      : options_(options), loop_(dir_), vmi_(loop_, "bench"), guest_(vmi_.boot()) {
    stick_.image = dir_.path() / "stick.img";
    stick_.speed = options.speed;
    e2e::make_random_image(stick_.image, options.mib * kBytesInMiB, 1);
  }

  void round(int round_trip, std::map<DistanceTest, DistanceFigures>& figures) {
    const DelayProxy proxy(static_cast<std::uint16_t>(loop_.api().port()), std::chrono::microseconds(round_trip * 500));
    const bool uas_first = random_() % 2 == 0;
    for (const bool uas : {uas_first, !uas_first}) attach(proxy, round_trip, uas, figures);
  }

 private:
  void attach(const DelayProxy& proxy, int round_trip, bool uas, std::map<DistanceTest, DistanceFigures>& figures) {
    e2e::Process client = e2e::start_client(
        dir_, "client" + std::to_string(++attached_),
        {"--kubeconfig", loop_.kubeconfig(), "--server", "https://127.0.0.1:" + std::to_string(proxy.port()),
         "--transport", uas ? "uas" : "bulk-only", "--emulate", stick_.spec(), "bench"});
    client.wait_err("Redirecting " + stick_.id, 20s);
    const std::string disk = e2e::wait_disk(guest_, uas || options_.speed == "super" ? "2-1" : "1-1", 60s);
    for (const auto test : {DistanceTest::read, DistanceTest::readers, DistanceTest::write}) {
      const double speed = run(test, disk, mib(round_trip));
      (uas ? figures[test].uas : figures[test].bulk_only).push_back(speed);
    }
    client.signal(SIGINT);
    client.wait_exit(10s);
    e2e::wait_until("no disk in the guest", 20s,
                    [&] { return guest_.run("ls /sys/block | grep -c '^sd'").output == "0"; });
  }

  /// So that Bulk-Only takes seconds, and not minutes.
  [[nodiscard]] std::size_t mib(int round_trip) const {
    const std::size_t part = round_trip >= 50 ? 8 : round_trip >= 20 ? 4 : round_trip >= 5 ? 2 : 1;
    return std::max<std::size_t>(options_.mib / part, kReaders);
  }

  double run(DistanceTest test, const std::string& disk, std::size_t mib) {
    const std::string device = "/dev/" + disk;
    const std::string all = " bs=1M count=" + std::to_string(mib);
    const std::string part = std::to_string(mib / kReaders);
    std::string command;
    switch (test) {
      case DistanceTest::read: command = "dd if=" + device + " of=/dev/null" + all + " 2>/dev/null || ok=no"; break;
      case DistanceTest::readers:
        command = "for i in 0 1 2 3; do dd if=" + device + " of=/dev/null bs=1M count=" + part + " skip=$((i * " +
                  part + ")) 2>/dev/null & done; wait";
        break;
      case DistanceTest::write:
        command = "dd if=/dev/zero of=" + device + all + " conv=notrunc,fsync 2>/dev/null || ok=no";
        break;
    }
    // By the guest's uptime, which counts hundredths of a second.
    const std::string said =
        guest_.must_run("ok=yes; echo 3 >/proc/sys/vm/drop_caches; read begin rest </proc/uptime; " + command +
                            "; read end rest </proc/uptime; echo $ok $begin $end",
                        300s);
    std::istringstream words(said);
    std::string fine;
    double begin = 0;
    double end = 0;
    if (!(words >> fine >> begin >> end) || fine != "yes" || end <= begin) throw Failure("the guest said: " + said);
    return static_cast<double>(mib * kBytesInMiB) / 1e6 / (end - begin);
  }

  const DistanceOptions& options_;
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

const char* name_of(DistanceTest test) {
  switch (test) {
    case DistanceTest::read: return "read";
    case DistanceTest::readers: return "readers";
    case DistanceTest::write: return "write";
  }
  return "";
}

DistanceResults measure_distance(const DistanceOptions& options,
                                 const std::function<void(const std::string&)>& progress) {
  const auto begin = std::chrono::steady_clock::now();
  progress("starting a loop and booting a guest");
  DistanceRun run(options);
  DistanceResults results;
  for (int round = 1; round <= options.rounds; ++round) {
    for (const int round_trip : options.round_trips) {
      progress("round " + std::to_string(round) + " of " + std::to_string(options.rounds) + ", " +
               std::to_string(round_trip) + " ms");
      run.round(round_trip, results.by_round_trip[round_trip]);
    }
  }
  results.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return results;
}

}  // namespace usbloop::bench
