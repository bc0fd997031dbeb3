#include "apiserver-sim/subresource/vm_lifecycle.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "apiserver-sim/kinds/kubevirt_pod.h"
#include "apiserver-sim/kinds/vm.h"
#include "apiserver-sim/kinds/vmi.h"
#include "common/json_text.h"
#include "common/log.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/pod.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kVm = "virtualmachine";  // virt-api names the kind and not the plural
constexpr const char* kNotRunning = "VM is not running";

const User& virt_api_user() {
  static const User kUser{"system:serviceaccount:kubevirt:kubevirt-apiserver", "", {"system:serviceaccounts"}};
  return kUser;
}

using Refused = std::optional<kube::Status>;

/// One request: the VM, its VMI, the options.
struct Call {
  const Registry& registry;
  Store& store;
  ObjectWriter writer;
  std::string ns;
  std::string name;
  json options = json::object();
  json vm = json();
  json vmi = json();  ///< null when there is none

  Call(const Registry& the_registry, Store& the_store, const RequestInfo& info)
      : registry(the_registry), store(the_store), writer(the_store), ns(info.namespace_), name(info.name) {}

  [[nodiscard]] kube::Status conflict(const std::string& why) const {
    return kube::conflict(kKubevirtGroup, kVm, name, why);
  }
  [[nodiscard]] bool dry_run() const {
    const json* list = element_at(options, "/dryRun");
    return list != nullptr && !list->empty();
  }
  [[nodiscard]] std::string phase() const { return text_at(vmi, "/status/phase"); }
  [[nodiscard]] bool has_final_vmi() const { return phase() == "Succeeded" || phase() == "Failed"; }
  [[nodiscard]] bool runs() const { return !vmi.is_null() && !has_final_vmi(); }
};

Refused read(Call& call, const Request& request) {
  const std::string& body = request.body;
  if (body.find_first_not_of(" \t\r\n") != std::string::npos) {
    auto options = parse_json_object(body);
    if (!options) {
      return kube::bad_request("Can not unmarshal Request body to struct, error: " + options.error().cause);
    }
    call.options = std::move(*options);
  }
  const ObjectPtr vm = call.store.get({kVmResource, call.ns, call.name});
  if (!vm) return kube::not_found(kKubevirtGroup, kVm, call.name);
  call.vm = vm->parse();
  if (const ObjectPtr vmi = call.store.get({kVmiResource, call.ns, call.name})) call.vmi = vmi->parse();
  return std::nullopt;
}

Refused write(Call& call, const char* resource, const ObjectWriter::Edit& edit) {
  const auto outcome = call.writer.update(*call.registry.find_qualified(resource), {resource, call.ns, call.name},
                                          virt_api_user(), {.dry_run = call.dry_run(), .whole = true}, edit);
  if (outcome) return std::nullopt;
  return outcome.error().code == 409 ? outcome.error() : kube::internal_error(outcome.error().message);
}

/// Puts requests to the VM's controller into its status.
Refused ask(Call& call, const json& requests) {
  const bool only_stop = requests.size() == 1 && text_at(requests.front(), "/action") == "Stop";
  return write(call, kVmResource, [&](const json& current) -> tl::expected<json, kube::Status> {
    json asking = current;
    json& status = asking["status"];
    if (!status.is_object()) status = json::object();
    const json* pending = element_at(current, "/status/stateChangeRequests");
    if (pending != nullptr && !pending->empty() && !only_stop) {
      return tl::unexpected(kube::internal_error("unable to complete request: stop/start already underway"));
    }
    status["stateChangeRequests"] = requests;
    status.erase("startFailure");
    return asking;
  });
}

Refused set_running(Call& call, bool running) {
  return write(call, kVmResource, [running](const json& current) -> json {
    json changed = current;
    json& spec = changed["spec"];
    if (spec.contains("runStrategy") && !spec["runStrategy"].is_null()) {
      spec["runStrategy"] = running ? "Always" : "Halted";
    } else {
      spec["running"] = running;
    }
    return changed;
  });
}

json stop_request(const Call& call) { return {{"action", "Stop"}, {"uid", text_at(call.vmi, "/metadata/uid")}}; }

Refused start(Call& call) {
  if (call.runs() && call.phase() != "Unknown" && !call.phase().empty()) return call.conflict("VM is already running");
  const json* wish = element_at(call.options, "/paused");
  const bool paused = wish != nullptr && *wish == true;
  json request = {{"action", "Start"}};
  if (paused) request["data"] = {{"paused", "true"}};
  const std::string strategy = run_strategy_of(call.vm);
  if (strategy == "Halted") return paused ? ask(call, json::array({request})) : set_running(call, true);
  if (strategy != "RerunOnFailure" && strategy != "Manual") {
    return call.conflict(strategy + " does not support manual start requests");
  }
  if (strategy == "RerunOnFailure" && call.phase() == "Failed") {
    return call.conflict("RerunOnFailure does not support starting VM from failed state");
  }
  return ask(call, call.has_final_vmi() ? json::array({stop_request(call), request}) : json::array({request}));
}

/// The guest gets another time to power off than its VMI says, so the VMI is changed: its node goes by that.
Refused set_grace(Call& call, std::int64_t seconds) {
  return write(call, kVmiResource, [seconds](const json& current) -> json {
    json changed = current;
    changed["spec"]["terminationGracePeriodSeconds"] = seconds;
    return changed;
  });
}

Refused stop(Call& call) {
  const json* grace = element_at(call.options, "/gracePeriod");
  const bool given = grace != nullptr && grace->is_number_integer();
  if (given && int64_of(*grace, 0) < 0) return kube::bad_request("gracePeriod has to be greater or equal to 0");
  const std::int64_t seconds = given ? int64_of(*grace, 0) : 0;
  const bool is_shorter = given && seconds < termination_grace(call.vmi);
  if (given && call.runs()) {
    if (auto refused = set_grace(call, seconds)) return refused;
  }
  const std::string strategy = run_strategy_of(call.vm);
  if (strategy == "Always" || strategy == "Once") return set_running(call, false);
  if (!call.runs()) return call.conflict(kNotRunning);
  if (strategy == "Halted" && !is_shorter) {
    return call.conflict("Halted only supports manual stop requests with a shorter graceperiod");
  }
  return ask(call, json::array({stop_request(call)}));
}

Refused end_pods(Call& call) {
  const std::string uid = text_at(call.vmi, "/metadata/uid");
  for (const ObjectPtr& pod : call.store.list(kPodResource, call.ns).objects) {
    if (vmi_uid_of(pod->parse()) != uid) continue;
    DeleteOptions options;
    options.grace_period_seconds = 1;  // the shortest with which a guest's end is told
    options.dry_run = call.dry_run();
    const auto deletion = call.writer.remove(*call.registry.find_qualified(kPodResource), pod->key, options);
    if (!deletion && deletion.error().code != 404) return kube::internal_error(deletion.error().message);
  }
  return std::nullopt;
}

Refused restart(Call& call) {
  const json* grace = element_at(call.options, "/gracePeriodSeconds");
  const bool given = grace != nullptr && grace->is_number_integer();
  if (given && int64_of(*grace, 0) > 0) {
    return kube::bad_request("For force restart, only gracePeriod=0 is supported for now");
  }
  if (given && int64_of(*grace, 0) < 0) return kube::bad_request("gracePeriod has to be greater or equal to 0");
  const std::string strategy = run_strategy_of(call.vm);
  if (strategy == "Halted" || strategy == "Once") {
    return call.conflict("RunStategy " + strategy + " does not support manual restart requests");
  }
  if (call.vmi.is_null()) return call.conflict("VM is not running: Halted");
  if (auto refused = ask(call, json::array({stop_request(call), {{"action", "Start"}}}))) return refused;
  return given ? end_pods(call) : std::nullopt;
}

Response serve(const Registry& registry, Store& store, const Request& request, const RequestInfo& info,
               Refused (*action)(Call&)) {
  Call call(registry, store, info);
  Refused refused = read(call, request);
  if (!refused) refused = action(call);
  if (!refused) return {202, "", "", {}};
  spdlog::info("{} of VM {}/{}: {}", info.subresource, info.namespace_, info.name, refused->message);
  return {refused->code, "application/json", kube::body_indented(*refused), {}};
}

}  // namespace

Response start_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info) {
  return serve(registry, store, request, info, start);
}

Response stop_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info) {
  return serve(registry, store, request, info, stop);
}

Response restart_vm(const Registry& registry, Store& store, const Request& request, const RequestInfo& info) {
  return serve(registry, store, request, info, restart);
}

}  // namespace usbloop::apiserver
