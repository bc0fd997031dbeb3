#include "launcher-sim/shutdown.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/log.h"
#include "common/process_watch.h"
#include "common/timestamp.h"
#include "launcher-sim/pod_status.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using State = GuestView::State;

}  // namespace

void power_off(const GuestTable& guests, std::chrono::milliseconds grace) {
  const auto until = std::chrono::steady_clock::now() + grace + 2s;
  // A guest that is being stopped already gets the time from now on.
  std::map<const Guest*, std::chrono::milliseconds> limits;
  for (const Guest* guest : guests.all()) {
    limits[guest] = guest->stopping_for() + std::min<std::chrono::milliseconds>(guest->spec().grace, grace);
  }
  int waiting_for = -1;
  do {
    waiting_for = -1;
    for (Guest* guest : guests.all()) {
      if (guest->observe().state == State::ended) continue;
      guest->stop(limits.at(guest));
      waiting_for = guest->exit_fd();
    }
    if (waiting_for >= 0) wait_pidfd(waiting_for, 100ms);
  } while (waiting_for >= 0 && std::chrono::steady_clock::now() < until);
  for (Guest* guest : guests.all()) {
    if (guest->observe().state != State::ended) guest->kill_and_wait(1s);
  }
}

void report_end(const kube::RestClient& client, const NodeVmis& vmis, const NodePods& pods, const std::string& node,
                Guest& guest) {
  const std::string& uid = guest.spec().uid;
  const GuestView view = guest.observe();
  const auto known = vmis.get(uid);
  if (known == nullptr) return;
  // The copy may be older than our own last word about the VMI.
  const auto vmi = client.get(vmi_path(*known));
  if (!vmi) {
    if (vmi.error().kind == ErrorKind::not_found) return;
    spdlog::warn("{}; the node's next launcher tells how VMI {} ended", vmi.error().message(),
                 guest.spec().full_name());
    return;
  }
  if (vmi->at("metadata").value("uid", "") != uid || is_final(view_of(*vmi).phase)) return;
  const Decision decision = decide(view_of(*vmi), PodView{.runs = true}, view, true);
  if (!decision.phase) return;
  const json patch = phase_patch(*vmi, *decision.phase, decision.reason, node, format_time(now_seconds()));
  const auto written = client.patch(vmi_path(*vmi), kube::PatchType::merge, patch);
  if (!written) {
    spdlog::warn("{}", written.error().message());
    return;
  }
  spdlog::info("VMI {} is {}", guest.spec().full_name(), to_text(*decision.phase));
  const auto pod = pods.launcher_of(uid);
  if (pod == nullptr) return;
  const json ended = pod_ended(*pod, *decision.phase == Phase::succeeded, format_time(now_seconds()));
  if (const auto told = client.patch(pod_path(*pod) + "/status", kube::PatchType::merge, ended); !told) {
    spdlog::warn("{}", told.error().message());
  }
}

}  // namespace usbloop::launcher
