// The emulated SSD beside the emulated stick, both at super speed in one guest: without a distance, and with 5 ms there
// and back between client and server.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "e2e/harness/client.h"
#include "e2e/harness/delay_proxy.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr int kMebibytes = 24, kRounds = 5;

class TwoDisks {
 public:
  explicit TwoDisks(milliseconds distance)
      : proxy_(static_cast<std::uint16_t>(loop_.api().port()), std::chrono::microseconds(distance) / 2) {
    for (const char* kind : {"stick", "ssd"}) {
      const fs::path image = dir_.path() / (std::string(kind) + ".img");
      make_random_image(image, std::size_t{kMebibytes} << 20, 7);
      const std::size_t mark = guest_.mark();
      clients_.push_back(
          start_client(dir_, kind,
                       {"--kubeconfig", loop_.kubeconfig(), "--server",
                        "https://127.0.0.1:" + std::to_string(proxy_.port()), "--transport", "bulk-only", "--emulate",
                        std::string(kind) + ",speed=super,image=" + image.string(), "demo"}));
      const std::string added = guest_.wait_for_line("usbloop-guest: usb add ", 30s, mark);
      const std::string port = added.substr(added.find("path=") + 5, 3);
      disks_.push_back(wait_disk(guest_, port, 60s));
    }
  }
  ~TwoDisks() {
    for (Process& client : clients_) {
      client.signal(SIGINT);
      client.wait_exit(20s);
    }
  }
  TwoDisks(const TwoDisks&) = delete;
  TwoDisks& operator=(const TwoDisks&) = delete;

  /// How much faster the SSD is read than the stick: the median of some rounds, in each of which both are read.
  double ratio() {
    std::vector<double> ratios;
    for (int round = 0; round < kRounds; ++round) {
      const bool ssd_first = round % 2 == 0;
      const auto first = read(ssd_first ? disks_[1] : disks_[0]);
      const auto second = read(ssd_first ? disks_[0] : disks_[1]);
      ratios.push_back(ssd_first ? second / first : first / second);
    }
    std::sort(ratios.begin(), ratios.end());
    return ratios[kRounds / 2];
  }

 private:
  /// Seconds, as a program reads a file: through the page cache, which is empty at first.
  double read(const std::string& disk) {
    guest_.must_run("echo 3 > /proc/sys/vm/drop_caches");
    const Stopwatch watch;
    guest_.must_run("dd if=/dev/" + disk + " of=/dev/null bs=1M count=" + std::to_string(kMebibytes) + " 2>/dev/null",
                    120s);
    return std::chrono::duration<double>(watch.elapsed()).count();
  }

  CaseDir dir_;
  Loop loop_{dir_};
  Vmi vmi_{loop_, "demo"};
  GuestConsole& guest_ = vmi_.boot();
  DelayProxy proxy_;
  std::vector<Process> clients_;
  std::vector<std::string> disks_;
};

}  // namespace

TEST_CASE(
    "in sequence an SSD is read 1.2 times as fast as a stick 5 ms away, and 0.95 times as fast with no distance") {
  for (const auto& [distance, least] : {std::pair(milliseconds(0), 0.95), {milliseconds(5), 1.2}}) {
    TwoDisks disks(distance);
    const double ratio = disks.ratio();
    MESSAGE(distance.count() << " ms: " << ratio);
    CHECK(ratio >= least);
  }
}
