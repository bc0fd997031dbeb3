#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "apiserver-sim/controllers/vm_strategy.h"
#include "kube-sim/controllers/control_loop.h"
#include "kube-sim/controllers/event_recorder.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// virt-controller's part for VMs: keeps each VM's VMI (it bears the VM's name) as the run strategy wants it, and the
/// VM's status as its VMI is.
class VmController {
 public:
  VmController(const Registry& registry, Store& store, WatchHub& hub);

 private:
  using OptionalJson = std::optional<nlohmann::json>;

  void observe(const Event& event);
  Next reconcile(const Key& key);
  Next carry_out(const VmDecision& decision, const Key& key, const nlohmann::json& vm, const OptionalJson& vmi);
  Next start(const Key& key, const nlohmann::json& vm);
  Next stop(const nlohmann::json& vm, const nlohmann::json& vmi);
  Next edit(const Key& key, const ObjectWriter::Edit& change);
  Next write_status(const Key& key, const nlohmann::json& vm, const OptionalJson& before);
  [[nodiscard]] OptionalJson own_vmi(const Key& vm_key, const nlohmann::json& vm) const;

  const Registry& registry_;
  Store& store_;
  ObjectWriter writer_;
  EventRecorder recorder_;
  ControlLoop loop_;
};

}  // namespace usbloop::apiserver
