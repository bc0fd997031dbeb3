#include "bench/guest/unplug.h"

#include <chrono>

#include "bench/cleanup.h"
#include "e2e/acceptance/client_machine.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class UnplugRun {
 public:
  UnplugRun() {
    plug();
    e2e::wait_disk(machine_.console(), "2-1", 60s);
    machine_.start_client("46f4:0001 bench");
  }

  double pull_out() {
    // Once the guest has its disk, nobody speaks to the stick any more.
    e2e::wait_disk(guest_, "2-1", 60s);
    const std::size_t mark = guest_.mark();
    const auto begin = Clock::now();
    machine_.unplug("stick");
    guest_.wait_for_line("usbloop-guest: usb remove 46f4:0001", 60s, mark);
    const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
    plug();
    return took.count();
  }

 private:
  std::vector<std::string> hardware() {
    const auto image = dir_.path() / "stick.img";
    e2e::make_random_image(image, 1 << 20, 1);
    return {"-blockdev", "driver=raw,node-name=stick,file.driver=file,file.filename=" + image.string()};
  }

  void plug() { machine_.plug("usb-storage,bus=xhci.0,port=1,drive=stick", "stick"); }

  HarnessHome home_;
  e2e::CaseDir dir_;
  e2e::Loop loop_{dir_, {.sans = {"10.0.2.2"}}};
  e2e::Vmi vmi_{loop_, "bench"};
  e2e::ClientMachine machine_{dir_, hardware(), loop_.kubeconfig()};
  e2e::GuestConsole& guest_ = vmi_.boot();
};

}  // namespace

std::vector<double> measure_unplug(int times, const std::function<void(const std::string&)>& progress) {
  progress("starting a loop, a guest and a person's machine");
  UnplugRun run;
  std::vector<double> milliseconds;
  for (int time = 1; time <= times; ++time) {
    progress("pulling the stick out, " + std::to_string(time) + " of " + std::to_string(times));
    milliseconds.push_back(run.pull_out());
  }
  return milliseconds;
}

}  // namespace usbloop::bench
