#include "apiserver-sim/metrics/connection_metrics.h"

#include <array>
#include <chrono>
#include <utility>

#include "apiserver-sim/metrics/relay_metrics.h"
#include "common/metrics/exposition.h"

namespace usbloop::apiserver {
namespace {

constexpr std::array<std::array<const char*, 3>, 4> kKinds = {{
    {"usbredir", "kubevirt_usbredir_active_connections",
     "Streams for USB devices that are open now, by namespace and VMI."},
    {"console", "kubevirt_console_active_connections", "Consoles that are open now, by namespace and VMI."},
    {"vnc", "kubevirt_vnc_active_connections", "Screens that are open now, by namespace and VMI."},
    {"portforward", "kubevirt_portforward_active_tunnels", "Forwarded ports that are open now, by namespace and VMI."},
}};

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

bool ConnectionMetrics::is_gone(const Vmi& vmi) const {
  return store_.get({"virtualmachineinstances.kubevirt.io", vmi.namespace_, vmi.name}) == nullptr;
}

void ConnectionMetrics::began(const RequestEvent& event) {
  const std::string kind = relay_kind(event);
  if (kind.empty()) return;
  const std::scoped_lock lock(mutex_);
  ++active_[kind][{event.info.namespace_, event.info.name}];
}

void ConnectionMetrics::ended(const RequestEvent& event) {
  const RequestInfo& info = event.info;
  if (event.code == 201 && info.resource == "virtualmachines" && info.verb == "create" && info.subresource.empty()) {
    const std::scoped_lock lock(mutex_);
    ++created_vms_[info.namespace_];
  }
  const std::string kind = relay_kind(event);
  if (kind.empty()) return;
  const Vmi vmi{info.namespace_, info.name};
  const bool gone = is_gone(vmi);
  const std::scoped_lock lock(mutex_);
  auto& active = active_[kind];
  const auto found = active.find(vmi);
  // A name that a client makes up leaves no series behind.
  if (found != active.end() && --found->second <= 0 && gone) active.erase(found);
  // The authorization refuses those before they reach the handler.
  if (!gone && event.code != 401 && event.code != 403) last_end_[vmi] = unix_time();
}

void ConnectionMetrics::forget_deleted() const {
  for (auto& [kind, active] : active_) {
    std::erase_if(active, [&](const auto& entry) { return entry.second <= 0 && is_gone(entry.first); });
  }
  std::erase_if(last_end_, [&](const auto& entry) { return is_gone(entry.first); });
  std::erase_if(created_vms_, [&](const auto& entry) {
    return store_.get({"namespaces", "", entry.first}) == nullptr;
  });
}

std::vector<prometheus::MetricFamily> ConnectionMetrics::Collect() const {
  const std::scoped_lock lock(mutex_);
  forget_deleted();
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [kind, name, help] : kKinds) {
    auto family = metrics::gauge_family(name, help);
    for (const auto& [vmi, count] : active_[kind]) {
      metrics::add_sample(family, {{"namespace", vmi.namespace_}, {"vmi", vmi.name}}, count);
    }
    families.push_back(std::move(family));
  }
  auto last =
      metrics::gauge_family("kubevirt_vmi_last_api_connection_timestamp_seconds",
                            "When the last stream of a VMI ended (USB, console, screen or port), in Unix seconds.");
  for (const auto& [vmi, time] : last_end_) {
    metrics::add_sample(last, {{"namespace", vmi.namespace_}, {"vmi", vmi.name}}, time);
  }
  families.push_back(std::move(last));
  auto created = metrics::counter_family("kubevirt_vm_created_by_pod_total",
                                         "VirtualMachines that this server has created, by namespace.");
  for (const auto& [where, count] : created_vms_) {
    metrics::add_sample(created, {{"namespace", where}}, static_cast<double>(count));
  }
  families.push_back(std::move(created));
  return families;
}

}  // namespace usbloop::apiserver
