#include "apiserver-sim/controllers/vm_strategy.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>

#include "apiserver-sim/controllers/vmi_lifecycle.h"
#include "apiserver-sim/kinds/vm.h"
#include "common/kube/conditions.h"
#include "common/timestamp.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/objects/object_writer.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Action = VmDecision::Action;

constexpr std::int64_t kLongestBackoff = 300;
constexpr std::int64_t kBackoffStep = 10;

const json* first_request(const json& vm) {
  const json* requests = element_at(vm, "/status/stateChangeRequests");
  return requests != nullptr && requests->is_array() && !requests->empty() ? &requests->front() : nullptr;
}

bool asks_to_start(const json& vm) {
  const json* request = first_request(vm);
  return request != nullptr && text_at(*request, "/action") == "Start";
}

bool asks_to_stop(const json& vm, const json& vmi) {
  const json* request = first_request(vm);
  return request != nullptr && text_at(*request, "/action") == "Stop" &&
         text_at(*request, "/uid") == text_at(vmi, "/metadata/uid");
}

bool has_run(const json& vmi) {
  const json* times = element_at(vmi, "/status/phaseTransitionTimestamps");
  return times != nullptr && times->is_array() && std::any_of(times->begin(), times->end(), [](const json& time) {
           return text_at(time, "/phase") == "Running";
         });
}

bool restarts_by_itself(const std::string& strategy) {
  return strategy == "Always" || strategy == "RerunOnFailure" || strategy == "Once";
}

std::int64_t fail_count(const json& vm) {
  const json* count = element_at(vm, "/status/startFailure/consecutiveFailCount");
  return count != nullptr && count->is_number_integer() ? count->get<std::int64_t>() : 0;
}

/// KubeVirt's: ten seconds times the square of the failures, and up to half as much again, at most five minutes.
std::int64_t backoff_after(std::int64_t failures) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const std::int64_t few = std::min<std::int64_t>(failures, 100);
  const std::int64_t delay = kBackoffStep * few * few;
  const std::int64_t extra = std::uniform_int_distribution<std::int64_t>(0, delay / 2)(random);
  return std::min(kLongestBackoff, delay + extra);
}

VmDecision act(Action action) { return {action, std::nullopt}; }

/// A start after failures is put off.
VmDecision start_in_time(const json& vm, std::int64_t now) {
  const auto retry = parse_time(text_at(vm, "/status/startFailure/retryAfterTimestamp"));
  if (retry && *retry > now) return {Action::none, std::chrono::seconds(*retry - now)};
  return act(Action::start);
}

VmDecision decide_always(const json& vm, const json* vmi, std::int64_t now) {
  if (vmi == nullptr) return start_in_time(vm, now);
  return act(asks_to_stop(vm, *vmi) || is_final(*vmi) ? Action::stop : Action::none);
}

VmDecision decide_rerun(const json& vm, const json* vmi, std::int64_t now) {
  if (vmi == nullptr) return asks_to_start(vm) ? start_in_time(vm, now) : act(Action::none);
  if (is_being_deleted(*vmi)) return act(Action::none);
  if (text_at(*vmi, "/status/phase") == "Failed") return act(Action::restart);
  return act(asks_to_stop(vm, *vmi) || is_final(*vmi) ? Action::stop : Action::none);
}

VmDecision decide_manual(const json& vm, const json* vmi) {
  if (vmi == nullptr) return act(asks_to_start(vm) ? Action::start : Action::none);
  return act(asks_to_stop(vm, *vmi) ? Action::stop : Action::none);
}

VmDecision decide_halted(const json& vm, const json* vmi) {
  if (vmi != nullptr) return act(Action::stop);
  return act(asks_to_start(vm) ? Action::make_always : Action::none);
}

VmDecision decide_deleted(const json& vm, const json* vmi) {
  const bool orphan = has_finalizer(vm, kOrphanFinalizer);
  return act(vmi == nullptr || orphan ? Action::release : Action::stop);
}

/// A request to stop is done when that VMI is gone; a request to start, when there is a VMI that is to stay.
void drop_done_requests(json& vm, const json* vmi) {
  const bool started = vmi != nullptr && !is_being_deleted(*vmi) && !is_final(*vmi);
  while (const json* request = first_request(vm)) {
    const bool stop = text_at(*request, "/action") == "Stop";
    const bool same = vmi != nullptr && text_at(*request, "/uid") == text_at(*vmi, "/metadata/uid");
    if (stop ? same : !started) return;
    json& requests = vm["status"]["stateChangeRequests"];
    requests.erase(requests.begin());
    if (requests.empty()) vm["status"].erase("stateChangeRequests");
  }
}

kube::Condition ready_of(const json* vmi) {
  if (vmi == nullptr) return {"Ready", "False", "VMINotExists", "VMI does not exist"};
  const json* ready = kube::find_condition(*vmi, "Ready");
  if (ready == nullptr) return {"Ready", "False", "VMIConditionMissing", "VMI is missing the Ready condition"};
  return {"Ready", text_at(*ready, "/status"), text_at(*ready, "/reason"), text_at(*ready, "/message")};
}

void copy_conditions(json& vm, const json* vmi, const std::string& now) {
  kube::set_condition(vm, ready_of(vmi), now);
  for (const char* type : {"LiveMigratable", "StorageLiveMigratable", "Paused", "PodScheduled", "AgentConnected"}) {
    const json* found = vmi == nullptr ? nullptr : kube::find_condition(*vmi, type);
    if (found == nullptr) {
      kube::remove_condition(vm, type);
      continue;
    }
    kube::set_condition(vm, {type, text_at(*found, "/status"), text_at(*found, "/reason"), text_at(*found, "/message")},
                        now);
  }
}

bool is_on_its_way(const json& vmi) {
  const std::string phase = text_at(vmi, "/status/phase");
  return phase.empty() || phase == "Pending" || phase == "Scheduling" || phase == "Scheduled";
}

bool is_unschedulable(const json& vmi) {
  const json* scheduled = kube::find_condition(vmi, "PodScheduled");
  return scheduled != nullptr && text_at(*scheduled, "/status") == "False" &&
         text_at(*scheduled, "/reason") == "Unschedulable";
}

}  // namespace

VmDecision decide_vm(const json& vm, const json* vmi, std::int64_t now) {
  if (is_being_deleted(vm)) return decide_deleted(vm, vmi);
  const std::string strategy = run_strategy_of(vm);
  if (strategy == "Always") return decide_always(vm, vmi, now);
  if (strategy == "RerunOnFailure") return decide_rerun(vm, vmi, now);
  if (strategy == "Manual") return decide_manual(vm, vmi);
  if (strategy == "Once") return act(vmi == nullptr ? Action::start : Action::none);
  return decide_halted(vm, vmi);
}

void note_start_failure(json& vm, const json* vmi, std::int64_t now) {
  const std::string strategy = run_strategy_of(vm);
  json& status = vm["status"];
  if (!status.is_object()) status = json::object();
  if (!restarts_by_itself(strategy) || (vmi != nullptr && has_run(*vmi))) {
    status.erase("startFailure");
    return;
  }
  if (vmi == nullptr || !is_final(*vmi)) return;
  const std::string uid = text_at(*vmi, "/metadata/uid");
  if (text_at(status, "/startFailure/lastFailedVMIUID") == uid) return;
  const std::int64_t count = fail_count(vm) + 1;
  status["startFailure"] = {{"consecutiveFailCount", count},
                            {"lastFailedVMIUID", uid},
                            {"retryAfterTimestamp", format_time(now + backoff_after(count))}};
}

json advance_vm(const json& vm, const json* vmi, std::int64_t now) {
  json next = vm;
  json& status = next["status"];
  if (!status.is_object()) status = json::object();
  const std::string strategy = run_strategy_of(vm);
  const bool is_new_strategy = text_at(status, "/runStrategy") != strategy;
  // This strategy reruns failures only; its first start is a request like any other.
  if (strategy == "RerunOnFailure" && is_new_strategy && vmi == nullptr && first_request(next) == nullptr) {
    status["stateChangeRequests"] = json::array({{{"action", "Start"}}});
  }
  status["runStrategy"] = strategy;
  drop_done_requests(next, vmi);
  note_start_failure(next, vmi, now);
  copy_conditions(next, vmi, format_time(now));
  const auto set_flag = [&](const char* name, bool value) {
    if (value) {
      status[name] = true;
    } else {
      status.erase(name);
    }
  };
  set_flag("created", vmi != nullptr);
  set_flag("ready", vmi != nullptr && condition_status(*vmi, "Ready") == "True");
  status["printableStatus"] = printable_status(next, vmi);
  const std::int64_t generation = next["metadata"].value("generation", std::int64_t{1});
  status["desiredGeneration"] = generation;
  status["observedGeneration"] = generation;
  return next;
}

std::string printable_status(const json& vm, const json* vmi) {
  if (is_being_deleted(vm)) return "Terminating";
  const bool over = vmi == nullptr || is_final(*vmi);
  if (!over) {
    if (is_being_deleted(*vmi)) return "Stopping";
    if (condition_status(*vmi, "Paused") == "True") return "Paused";
    if (text_at(*vmi, "/status/phase") == "Running") return "Running";
    if (is_unschedulable(*vmi)) return "ErrorUnschedulable";
    return is_on_its_way(*vmi) ? "Starting" : "Unknown";
  }
  if (fail_count(vm) > 0 && restarts_by_itself(run_strategy_of(vm))) return "CrashLoopBackOff";
  return "Stopped";
}

json vmi_of_vm(const json& vm) {
  const std::string name = text_at(vm, "/metadata/name");
  const json wanted = vm["spec"].value("template", json::object());
  json metadata = {{"name", name}, {"namespace", text_at(vm, "/metadata/namespace")}};
  const json template_metadata = wanted.value("metadata", json::object());
  for (const char* part : {"labels", "annotations"}) {
    if (template_metadata.contains(part) && template_metadata[part].is_object()) {
      metadata[part] = template_metadata[part];
    }
  }
  metadata["annotations"]["kubevirt.io/vm-generation"] =
      std::to_string(vm["metadata"].value("generation", std::int64_t{1}));
  metadata["ownerReferences"] = json::array({{{"apiVersion", "kubevirt.io/v1"},
                                              {"kind", "VirtualMachine"},
                                              {"name", name},
                                              {"uid", text_at(vm, "/metadata/uid")},
                                              {"controller", true},
                                              {"blockOwnerDeletion", true}}});
  json spec = wanted.value("spec", json::object());
  const json* request = first_request(vm);
  if (request != nullptr && text_at(*request, "/data/paused") == "true") spec["startStrategy"] = "Paused";
  return {{"apiVersion", "kubevirt.io/v1"},
          {"kind", "VirtualMachineInstance"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

bool is_owned_by(const json& vmi, const json& vm) {
  const json* references = element_at(vmi, "/metadata/ownerReferences");
  if (references == nullptr || !references->is_array()) return false;
  const std::string uid = text_at(vm, "/metadata/uid");
  return std::any_of(references->begin(), references->end(),
                     [&](const json& reference) { return text_at(reference, "/uid") == uid; });
}

}  // namespace usbloop::apiserver
