#include <nlohmann/json.hpp>
#include <string>

#include "client/api_get.h"
#include "client/doctor_cluster.h"
#include "common/websocket/connect.h"

// What doctor sees of the VMI and its slots.
namespace usbloop::client {

namespace {

using nlohmann::json;

std::string text_in(const json& object, const char* path) {
  const json::json_pointer pointer(path);
  return object.contains(pointer) && object[pointer].is_string() ? object[pointer].get<std::string>() : std::string();
}

bool is_paused(const json& vmi) {
  const json::json_pointer pointer("/status/conditions");
  if (!vmi.contains(pointer) || !vmi[pointer].is_array()) return false;
  for (const json& condition : vmi[pointer]) {
    if (text_in(condition, "/type") == "Paused" && text_in(condition, "/status") == "True") return true;
  }
  return false;
}

std::string named(const Target& target) { return target.name + " -n " + target.name_space; }

void examine_phase(const json& vmi, const Target& target, Diagnosis& diagnosis) {
  const std::string phase = text_in(vmi, "/status/phase");
  const std::string see = "See its phase and events: kubectl describe vmi " + named(target);
  if (phase != "Running") {
    diagnosis.failed("running", "its phase is " + (phase.empty() ? "not set" : phase) + ", not Running", see);
  } else if (!text_in(vmi, "/metadata/deletionTimestamp").empty()) {
    diagnosis.failed("running", "it is being deleted", see);
  } else if (is_paused(vmi)) {
    diagnosis.failed("running", "it is paused: a redirection would wait for it in vain",
                     "virtctl unpause vmi " + named(target));
  } else {
    diagnosis.ok("running", "on node " + text_in(vmi, "/status/nodeName"));
  }
}

void examine_passthrough(const json& vmi, Diagnosis& diagnosis) {
  if (vmi.contains(json::json_pointer("/spec/domain/devices/clientPassthrough"))) {
    diagnosis.ok("passthrough", "the VMI has clientPassthrough");
  } else {
    diagnosis.failed("passthrough", "the VMI has no clientPassthrough",
                     "Add spec.domain.devices.clientPassthrough: {} (in a VM below spec.template), and start it anew.");
  }
}

void report_missing(const ClusterQuestion& question, Diagnosis& diagnosis) {
  const Target& target = question.target;
  const bool has_vm = api_get(question.access, target.vm_path(), question.patience).has_value();
  diagnosis.failed("vmi", target.label() + " is not there" + (has_vm ? ", but its VM is" : ""),
                   has_vm ? "Start it: virtctl start " + named(target)
                          : "See what there is: kubectl get vmi -n " + target.name_space);
}

/// The answer of the server; 101 when there was a slot, which is given back.
asio::awaitable<Result<websocket::Refusal>> take_slot(const ClusterQuestion& question) {
  const std::string path = question.target.subresource_path();
  const websocket::ChannelOptions options;
  auto opened = co_await websocket::connect(question.access, path, options, question.patience);
  if (!opened) co_return tl::unexpected(opened.error());
  if (!opened->channel) co_return opened->refusal;
  const std::string no_reason;
  co_await opened->channel->close(1000, no_reason);
  websocket::Refusal taken;
  taken.status = 101;
  co_return taken;
}

}  // namespace

void examine_vmi(const ClusterQuestion& question, Diagnosis& diagnosis) {
  const auto vmi = api_get(question.access, question.target.object_path(), question.patience);
  if (vmi) {
    diagnosis.ok("vmi", question.target.label() + " is there");
    examine_phase(*vmi, question.target, diagnosis);
    examine_passthrough(*vmi, diagnosis);
    return;
  }
  if (vmi.error().kind != ErrorKind::not_found) {
    diagnosis.not_checked("vmi", "it cannot be read: " + vmi.error().cause);
  } else if (diagnosis.has_failed("kubevirt")) {
    diagnosis.not_checked("vmi", "there is no KubeVirt");
  } else {
    report_missing(question, diagnosis);
  }
  diagnosis.not_checked("running", "the VMI was not read");
  diagnosis.not_checked("passthrough", "the VMI was not read");
}

void examine_slot(const ClusterQuestion& question, Diagnosis& diagnosis) {
  for (const char* name : {"login", "kubevirt", "rights", "vmi", "running", "passthrough"}) {
    if (!diagnosis.has_failed(name)) continue;
    diagnosis.not_checked("slot", std::string("the step \"") + name + "\" stands in the way");
    return;
  }
  const auto opened = run_to_end(take_slot(question));
  if (!opened) {
    diagnosis.failed("slot", explain_connect_error(opened.error(), question.access));
  } else if (opened->status != 101) {
    diagnosis.failed("slot", refusal_message(*opened), refusal_hint(*opened, question.access, question.target));
  } else {
    diagnosis.ok("slot", "one was free (it was taken and given back)");
  }
}

}  // namespace usbloop::client
