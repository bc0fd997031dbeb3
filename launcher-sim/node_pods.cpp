#include "launcher-sim/node_pods.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json_at.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "launcher-sim/pod_status.h"
#include "launcher-sim/vmi_spec.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

constexpr const char* kHandlerPods = "/api/v1/namespaces/kubevirt/pods";

std::string pods_of_node(const std::string& node) { return "/api/v1/pods?fieldSelector=spec.nodeName%3D" + node; }

constexpr std::string_view kForeign = "pod ";

std::string key_of(const json& pod) {
  if (is_handler_pod(pod)) return NodePods::kHandlerKey;
  // Anybody who makes pods may write any value there.
  const std::string vmi = vmi_uid_of(pod);
  return is_uuid(vmi) ? vmi : std::string(kForeign) + text_at(pod, "/metadata/uid");
}

Result<> remove_pod(const kube::RestClient& client, const json& pod, const std::stop_token& stop) {
  const auto removed = client.remove(pod_path(pod) + "?gracePeriodSeconds=0", stop);
  if (!removed && removed.error().kind != ErrorKind::not_found) return tl::unexpected(removed.error());
  return {};
}

}  // namespace

NodePods::NodePods(const kube::RestClient& client, std::string node, std::string address)
    : client_(client),
      node_(std::move(node)),
      address_(std::move(address)),
      informer_(client, pods_of_node(node_), {[this](const std::string& uid) { note(uid); }, [](const Error*) {}}) {}

bool NodePods::is_foreign(const std::string& key) { return key.starts_with(kForeign); }

void NodePods::forget(const std::string& pod_uid, const std::string& key) {
  auto& pods = pods_of_key_[key];
  pods.erase(pod_uid);
  if (pods.empty()) pods_of_key_.erase(key);
  key_of_pod_.erase(pod_uid);
}

void NodePods::note(const std::string& pod_uid) {
  const auto pod = informer_.get(pod_uid);
  const std::string key = pod == nullptr ? std::string() : key_of(*pod);
  std::string before;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = key_of_pod_.find(pod_uid); known != key_of_pod_.end()) before = known->second;
    // Somebody may have changed its owner: from then on the pod belongs to another key.
    if (!before.empty() && before != key) forget(pod_uid, before);
    if (!key.empty()) {
      key_of_pod_[pod_uid] = key;
      pods_of_key_[key].insert(pod_uid);
    }
  }
  if (!before.empty() && before != key) changed_(before);
  if (!key.empty()) changed_(key);
}

std::set<std::string> NodePods::pods_of(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = pods_of_key_.find(key);
  return found == pods_of_key_.end() ? std::set<std::string>() : found->second;
}

kube::Informer::Object NodePods::launcher_of(const std::string& vmi_uid) const {
  kube::Informer::Object chosen;
  for (const auto& uid : pods_of(vmi_uid)) {
    auto pod = informer_.get(uid);
    if (pod != nullptr && (chosen == nullptr || !pod_view(*pod).deleting)) chosen = std::move(pod);
  }
  return chosen;
}

Result<> NodePods::write_status(const json& pod, const json& patch, const std::stop_token& stop) {
  auto written = client_.patch(pod_path(pod) + "/status", kube::PatchType::merge, patch, stop);
  if (!written) {
    // The pod has gone, or a younger pod has its name by now: the watch tells.
    if (written.error().kind == ErrorKind::not_found || written.error().kind == ErrorKind::conflict) return {};
    return tl::unexpected(written.error());
  }
  informer_.observe(std::move(*written));
  return {};
}

Result<> NodePods::report_running(const json& pod, const std::stop_token& stop) {
  return write_status(pod, pod_running(pod, address_, format_time(now_seconds())), stop);
}

Result<> NodePods::report_ended(const json& pod, bool well, const std::stop_token& stop) {
  return write_status(pod, pod_ended(pod, well, format_time(now_seconds())), stop);
}

Result<> NodePods::remove(const json& pod, const std::stop_token& stop) const { return remove_pod(client_, pod, stop); }

Result<> NodePods::settle_foreign(const std::string& key, const std::stop_token& stop) {
  for (const auto& uid : pods_of(key)) {
    const auto pod = informer_.get(uid);
    if (pod == nullptr) continue;
    const PodView view = pod_view(*pod);
    if (view.deleting) return remove_pod(client_, *pod, stop);
    if (view.over) continue;
    if (auto rejected = write_status(*pod, pod_rejected(*pod, format_time(now_seconds())), stop); !rejected)
      return rejected;
    spdlog::warn("{} is rejected: {}", pod_path(*pod), kRejectedMessage);
    json event = vmi_event(*pod, "Warning", kRejected, kRejectedMessage, node_, format_time(now_seconds()));
    event["involvedObject"].update({{"apiVersion", "v1"}, {"kind", "Pod"}});
    event["source"]["component"] = "kubelet";
    event["reportingComponent"] = "kubelet";
    const std::string path = "/api/v1/namespaces/" + text_at(*pod, "/metadata/namespace") + "/events";
    if (const auto sent = client_.create(path, event, stop); !sent) spdlog::debug("{}", sent.error().message());
  }
  return {};
}

Result<> NodePods::keep_handler(const std::stop_token& stop) {
  bool there = false;
  for (const auto& uid : pods_of(kHandlerKey)) {
    const auto pod = informer_.get(uid);
    if (pod == nullptr) continue;
    const PodView view = pod_view(*pod);
    if (view.deleting || view.over || there) {
      if (auto removed = remove_pod(client_, *pod, stop); !removed) return removed;
      continue;
    }
    there = true;
    if (view.runs) continue;
    if (auto reported = report_running(*pod, stop); !reported) return reported;
  }
  if (there) return {};
  auto created = client_.create(kHandlerPods, handler_pod(node_), stop);
  if (!created) return tl::unexpected(created.error());
  spdlog::info("made the pod {}", text_at(*created, "/metadata/name"));
  // The watch brings it here, and with it the next round.
  return report_running(*created, stop);
}

Result<> remove_handlers(const kube::RestClient& client, const std::string& node) {
  const auto list = client.get(std::string(kHandlerPods) + "?fieldSelector=spec.nodeName%3D" + node);
  if (!list) return tl::unexpected(list.error());
  for (const json& pod : array_at(*list, "/items")) {
    if (!is_handler_pod(pod)) continue;
    if (auto removed = remove_pod(client, pod, {}); !removed) return removed;
  }
  return {};
}

}  // namespace usbloop::launcher
