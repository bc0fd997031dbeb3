#include "bench/guest/seat.h"

#include <chrono>
#include <csignal>

#include "bench/guest_seconds.h"
#include "e2e/harness/image.h"
#include "e2e/harness/programs.h"

namespace usbloop::bench {

using namespace std::chrono_literals;

GuestSeat::GuestSeat(const e2e::CaseDir& dir, e2e::Loop& loop, const std::string& name, std::size_t mib)
    : dir_(dir),
      loop_(loop),
      vmi_(loop, name),
      guest_(vmi_.boot()),
      bytes_(mib << 20),
      stick_{.image = dir.path() / (name + ".img")} {
  e2e::make_random_image(stick_.image, bytes_, 1);
}

void GuestSeat::attach(GuestRoad road, const std::string& speed) {
  stick_.speed = speed;
  holder_ = start(road);
  const bool is_super = speed == "super" || road == GuestRoad::uas;
  disk_ = e2e::wait_disk(guest_, is_super ? "2-1" : "1-1");
}

std::unique_ptr<e2e::Process> GuestSeat::start(GuestRoad road) {
  const std::string name = vmi_.name() + "-" + std::to_string(++attached_);
  if (road == GuestRoad::direct) {
    // The socket of the slot that a client would get.
    const std::string to = "unix:" + (vmi_.run_dir() / "virt-usbredir-0").string();
    return std::make_unique<e2e::Process>(e2e::ProcessSpec{
        .name = name, .argv = {e2e::device_sim(), "--emulate", stick_.spec(), "--to", to}, .log_dir = dir_.path()});
  }
  auto client = std::make_unique<e2e::Process>(
      e2e::start_client(dir_, name,
                        {"--kubeconfig", loop_.kubeconfig(), "--transport",
                         road == GuestRoad::uas ? "uas" : "bulk-only", "--emulate", stick_.spec(), vmi_.name()}));
  client->wait_err("Redirecting " + stick_.id, 20s);
  return client;
}

double GuestSeat::read(int times) {
  const double seconds =
      guest_seconds(guest_,
                    "for i in $(seq " + std::to_string(times) + "); do echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/" +
                        disk_ + " of=/dev/null bs=1M 2>/dev/null || ok=no; done",
                    120s);
  return static_cast<double>(bytes_) * times / 1e6 / seconds;
}

void GuestSeat::detach() {
  holder_->signal(SIGINT);
  holder_->wait_exit(5s);
  e2e::wait_until("no disk in the guest", 10s,
                  [&] { return guest_.run("ls /sys/block | grep -c '^sd'").output == "0"; });
}

}  // namespace usbloop::bench
