#include "launcher-sim/node_pods.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "common/log.h"
#include "launcher-sim/json_at.h"
#include "launcher-sim/pod_status.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

constexpr const char* kHandlerPods = "/api/v1/namespaces/kubevirt/pods";

std::string pods_of_node(const std::string& node) { return "/api/v1/pods?fieldSelector=spec.nodeName%3D" + node; }

std::string key_of(const json& pod) {
  return is_handler_pod(pod) ? std::string(NodePods::kHandlerKey) : vmi_uid_of(pod);
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

void NodePods::note(const std::string& pod_uid) {
  const auto pod = informer_.get(pod_uid);
  std::string key;
  {
    const std::lock_guard lock(mutex_);
    if (pod == nullptr) {
      const auto known = key_of_pod_.find(pod_uid);
      if (known == key_of_pod_.end()) return;
      key = known->second;
      auto& pods = pods_of_key_[key];
      pods.erase(pod_uid);
      if (pods.empty()) pods_of_key_.erase(key);
      key_of_pod_.erase(known);
    } else {
      key = key_of(*pod);
      if (key.empty()) return;
      key_of_pod_[pod_uid] = key;
      pods_of_key_[key].insert(pod_uid);
    }
  }
  changed_(key);
}

kube::Informer::Object NodePods::launcher_of(const std::string& vmi_uid) const {
  std::set<std::string> uids;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pods_of_key_.find(vmi_uid);
    if (found == pods_of_key_.end()) return nullptr;
    uids = found->second;
  }
  kube::Informer::Object chosen;
  for (const auto& uid : uids) {
    auto pod = informer_.get(uid);
    if (pod != nullptr && (chosen == nullptr || !pod_view(*pod).deleting)) chosen = std::move(pod);
  }
  return chosen;
}

std::set<std::string> NodePods::vmis() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> uids;
  for (const auto& [key, pods] : pods_of_key_) {
    if (key != kHandlerKey) uids.insert(key);
  }
  return uids;
}

Result<> NodePods::write_status(const json& pod, const json& patch, const std::stop_token& stop) {
  auto written = client_.patch(pod_path(pod) + "/status", kube::PatchType::merge, patch, stop);
  if (!written) {
    // Gone meanwhile, or its name is a younger pod's by now: the watch tells.
    if (written.error().kind == ErrorKind::not_found || written.error().kind == ErrorKind::conflict) return {};
    return tl::unexpected(written.error());
  }
  informer_.observe(std::move(*written));
  return {};
}

Result<> NodePods::report_running(const json& pod, const std::stop_token& stop) {
  return write_status(pod, pod_running(pod, address_, rfc3339_now()), stop);
}

Result<> NodePods::report_ended(const json& pod, bool well, const std::stop_token& stop) {
  return write_status(pod, pod_ended(pod, well, rfc3339_now()), stop);
}

Result<> NodePods::remove(const json& pod, const std::stop_token& stop) const { return remove_pod(client_, pod, stop); }

Result<> NodePods::keep_handler(const std::stop_token& stop) {
  std::set<std::string> uids;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = pods_of_key_.find(kHandlerKey); found != pods_of_key_.end()) uids = found->second;
  }
  bool there = false;
  for (const auto& uid : uids) {
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
