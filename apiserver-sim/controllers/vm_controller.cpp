#include "apiserver-sim/controllers/vm_controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver-sim/controllers/virt_controller.h"
#include "apiserver-sim/kinds/vm.h"
#include "apiserver-sim/kinds/vmi.h"
#include "common/kube/conditions.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "kube-sim/objects/object_meta.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Action = VmDecision::Action;

const json* pointer_to(const std::optional<json>& object) { return object ? &*object : nullptr; }

/// A VM that is not being deleted waits for its VMI from now on; to one that is, no finalizer may be added.
json held(json vm) {
  if (!is_being_deleted(vm)) add_finalizer(vm, kVmFinalizer);
  return vm;
}

json without_finalizer(json vm) {
  remove_finalizer(vm, kVmFinalizer);
  return vm;
}

}  // namespace

VmController::VmController(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry),
      store_(store),
      writer_(store),
      recorder_(registry, store, "virtualmachine-controller"),
      loop_("vm controller", store, hub,
            {.resources = {kVmResource, kVmiResource},
             .observe = [this](const Event& event) { observe(event); },
             .reconcile = [this](const Key& key) { return reconcile(key); },
             .forget = [] {}}) {}

void VmController::observe(const Event& event) {
  const Key& key = event.object->key;
  if (key.resource == kVmResource) {
    if (event.type != EventType::deleted) loop_.add(key);
    return;
  }
  const Key vm{kVmResource, key.namespace_, key.name};
  if (store_.get(vm)) loop_.add(vm);
}

VmController::OptionalJson VmController::own_vmi(const Key& vm_key, const json& vm) const {
  const ObjectPtr object = store_.get({kVmiResource, vm_key.namespace_, vm_key.name});
  if (!object) return std::nullopt;
  json vmi = object->parse();
  return is_owned_by(vmi, vm) ? std::optional(std::move(vmi)) : std::nullopt;
}

Next VmController::reconcile(const Key& key) {
  const ObjectPtr object = store_.get(key);
  if (!object) return Next::done();
  const json stored = object->parse();
  const OptionalJson vmi = own_vmi(key, stored);
  const std::int64_t now = now_seconds();
  const json vm = advance_vm(held(stored), pointer_to(vmi), now);
  const VmDecision decision = decide_vm(vm, pointer_to(vmi), now);
  const Next done = carry_out(decision, key, vm, vmi);
  if (done.failed || decision.action == Action::release) return done;
  Next written = write_status(key, stored, vmi);
  if (!written.failed && decision.again) written.again = *decision.again;
  return written;
}

Next VmController::carry_out(const VmDecision& decision, const Key& key, const json& vm, const OptionalJson& vmi) {
  switch (decision.action) {
    case Action::none: return Next::done();
    case Action::start: return start(key, vm);
    case Action::stop: return stop(vm, *vmi);
    case Action::restart: {
      const Next asked = edit(key, [](const json& current) -> json {
        json asking = current;
        asking["status"]["stateChangeRequests"] = json::array({{{"action", "Start"}}});
        return asking;
      });
      return asked.failed ? asked : stop(vm, *vmi);
    }
    case Action::make_always:
      return edit(key, [](const json& current) -> json {
        json always = current;
        json& spec = always["spec"];
        if (spec.contains("runStrategy")) {
          spec["runStrategy"] = "Always";
        } else {
          spec["running"] = true;
        }
        return always;
      });
    case Action::release: return edit(key, [](const json& current) -> json { return without_finalizer(current); });
  }
  return Next::done();
}

Next VmController::start(const Key& key, const json& vm) {
  // Added before there is a VMI: a VM that is deleted right after its creation would otherwise leave the VMI behind.
  const Next kept = edit(key, [](const json& current) -> json { return held(current); });
  if (kept.failed) return kept;
  const auto outcome = writer_.create(*registry_.find_qualified(kVmiResource), key.namespace_, vmi_of_vm(vm), false,
                                      {.user = virt_controller_user()});
  if (outcome) {
    spdlog::info("VM {}/{}: created its VMI", key.namespace_, key.name);
    recorder_.normal(vm, "SuccessfulCreate",
                     "Started the virtual machine by creating the new virtual machine instance " + key.name);
    return Next::done();
  }
  const std::string why = outcome.error().message;
  recorder_.warning(vm, "FailedCreate", "Error creating virtual machine instance: " + why);
  edit(key, [&](const json& current) -> json {
    json failed = current;
    kube::set_condition(failed, {"Failure", "True", "FailedCreate", "Failure while starting VMI: " + why},
                        format_time(now_seconds()));
    return failed;
  });
  return Next::failure(outcome.error());
}

Next VmController::stop(const json& vm, const json& vmi) {
  // A VM may be deleted with less time than its VMI has, and deleted again with still less.
  const auto wish = is_being_deleted(vm) ? deletion_wish(vm) : std::nullopt;
  if (is_being_deleted(vmi) && (!wish || *wish >= termination_grace(vmi))) return Next::done();
  const Key key{kVmiResource, text_at(vmi, "/metadata/namespace"), text_at(vmi, "/metadata/name")};
  const std::string uid = text_at(vmi, "/metadata/uid");
  const auto deletion =
      writer_.remove(*registry_.find_qualified(kVmiResource), key, {.uid = uid, .grace_period_seconds = wish});
  if (!deletion && deletion.error().code != 404) {
    recorder_.warning(vm, "FailedDelete",
                      "Error deleting virtual machine instance " + key.name + ": " + deletion.error().message);
    return Next::failure(deletion.error());
  }
  if (deletion) {
    recorder_.normal(vm, "SuccessfulDelete",
                     "Stopped the virtual machine by deleting the virtual machine instance " + uid);
  }
  return Next::done();
}

Next VmController::edit(const Key& key, const ObjectWriter::Edit& change) {
  const auto outcome =
      writer_.update(*registry_.find_qualified(kVmResource), key, virt_controller_user(), {.whole = true}, change);
  if (outcome) return Next::done();
  if (outcome.error().code != 404) spdlog::error("VM {}/{}: {}", key.namespace_, key.name, outcome.error().message);
  return Next::failure(outcome.error());
}

/// `before`: the VMI before we changed anything. Only its failure counts: requests that came meanwhile are about the
/// VMI that exists now.
Next VmController::write_status(const Key& key, const json& vm, const OptionalJson& before) {
  const OptionalJson after = own_vmi(key, vm);
  const std::int64_t now = now_seconds();
  const auto advance = [&](const json& current) -> json {
    json next = held(current);
    note_start_failure(next, pointer_to(before), now);
    next = advance_vm(next, pointer_to(after), now);
    if (after) kube::remove_condition(next, "Failure");
    return next;
  };
  const ObjectPtr object = store_.get(key);
  if (!object) return Next::done();
  const json current = object->parse();
  return advance(current) == current ? Next::done() : edit(key, advance);
}

}  // namespace usbloop::apiserver
