#include "bench/distance/measure.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>

#include "bench/cleanup.h"
#include "bench/guest_seconds.h"
#include "e2e/harness/client.h"
#include "e2e/harness/delay_proxy.h"
#include "e2e/harness/image.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBytesInMiB = 1 << 20;
constexpr std::size_t kReaders = 4;

/// So that a test takes about a second, and not minutes.
std::size_t mib_of(const DistanceOptions& options, const std::string& speed, int round_trip, bool uas) {
  const std::size_t step = round_trip >= 50 ? 3 : round_trip >= 20 ? 2 : round_trip >= 5 ? 1 : 0;
  const std::size_t near_by = !uas && speed == "high" ? 16 : 64;
  const std::size_t mib = uas && step > 0 ? 32 : near_by >> step;
  return std::max(std::min(mib, options.most_mib), kReaders);
}

std::string command_for(DistanceTest test, const std::string& device, std::size_t mib) {
  const std::string all = " bs=1M count=" + std::to_string(mib);
  const std::string in_order = "dd if=" + device + " of=/dev/null";
  const std::string part = std::to_string(mib / kReaders);
  switch (test) {
    case DistanceTest::read: return in_order + all + " 2>/dev/null || ok=no";
    case DistanceTest::copy: return in_order + " bs=64k count=" + std::to_string(mib * 16) + " 2>/dev/null || ok=no";
    case DistanceTest::readers:
      return "for i in 0 1 2 3; do " + in_order + " bs=1M count=" + part + " skip=$((i * " + part +
             ")) 2>/dev/null & done; wait";
    case DistanceTest::write: return "dd if=/dev/zero of=" + device + all + " conv=notrunc,fsync 2>/dev/null || ok=no";
  }
  return {};
}

class DistanceRun {
 public:
  DistanceRun(const DistanceOptions& options, DistanceResults& results)
      : options_(options), results_(results), loop_(dir_), vmi_(loop_, "bench"), guest_(vmi_.boot()) {
    stick_.image = dir_.path() / "stick.img";
    e2e::make_random_image(stick_.image, options.most_mib * kBytesInMiB, 1);
  }

  void round(const DistanceWay& way) {
    const e2e::DelayProxy proxy(static_cast<std::uint16_t>(loop_.api().port()),
                                std::chrono::microseconds(way.second * 500));
    const bool uas_first = random_() % 2 == 0;
    for (const bool uas : {uas_first, !uas_first}) attach(proxy, way, uas);
  }

 private:
  void attach(const e2e::DelayProxy& proxy, const DistanceWay& way, bool uas) {
    const std::string transport = uas ? "uas" : "bulk-only";
    stick_.speed = way.first;
    guest_.must_run("dmesg -c >/dev/null");
    e2e::Process client = e2e::start_client(
        dir_, "client" + std::to_string(++attached_),
        {"--kubeconfig", loop_.kubeconfig(), "--server", "https://127.0.0.1:" + std::to_string(proxy.port()),
         "--transport", transport, "--emulate", stick_.spec(), "bench"});
    client.wait_err("Redirecting " + stick_.id, 20s);
    const std::string disk = e2e::wait_disk(guest_, uas || way.first == "super" ? "2-1" : "1-1", 60s);
    // Linux 6.1 decides how far it reads ahead when the disk can be used already.
    e2e::wait_until("the guest's kernel to be done with its disk", 60s,
                    [&] { return guest_.run("dmesg | grep -q 'Attached SCSI'").status == 0; });
    const std::string queue = "/sys/block/" + disk + "/queue/";
    if (options_.read_ahead > 0) {
      guest_.must_run("echo " + std::to_string(options_.read_ahead) + " >" + queue + "read_ahead_kb");
    }
    results_.queues[way.first + " " + transport] =
        guest_.must_run("cd " + queue + "; echo $(cat max_sectors_kb read_ahead_kb); cd /");
    for (const auto test : {DistanceTest::read, DistanceTest::copy, DistanceTest::readers, DistanceTest::write}) {
      const double speed = run(test, disk, mib_of(options_, way.first, way.second, uas));
      DistanceFigures& figures = results_.by_way[way][test];
      (uas ? figures.uas : figures.bulk_only).push_back(speed);
    }
    client.signal(SIGINT);
    client.wait_exit(10s);
    e2e::wait_until("no disk in the guest", 20s,
                    [&] { return guest_.run("ls /sys/block | grep -c '^sd'").output == "0"; });
  }

  double run(DistanceTest test, const std::string& disk, std::size_t mib) {
    guest_.must_run("echo 3 >/proc/sys/vm/drop_caches");
    const double seconds = guest_seconds(guest_, command_for(test, "/dev/" + disk, mib), 300s);
    return static_cast<double>(mib * kBytesInMiB) / 1e6 / seconds;
  }

  const DistanceOptions& options_;
  DistanceResults& results_;
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
    case DistanceTest::copy: return "copy";
    case DistanceTest::readers: return "readers";
    case DistanceTest::write: return "write";
  }
  return "";
}

DistanceResults measure_distance(const DistanceOptions& options,
                                 const std::function<void(const std::string&)>& progress) {
  const auto begin = std::chrono::steady_clock::now();
  progress("starting a loop and booting a guest");
  DistanceResults results;
  DistanceRun run(options, results);
  for (int round = 1; round <= options.rounds; ++round) {
    for (const std::string& speed : options.speeds) {
      for (const int round_trip : options.round_trips) {
        progress("round " + std::to_string(round) + " of " + std::to_string(options.rounds) + ", " + speed +
                 " speed, " + std::to_string(round_trip) + " ms");
        run.round({speed, round_trip});
      }
    }
  }
  results.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return results;
}

}  // namespace usbloop::bench
