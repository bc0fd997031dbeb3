#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// Tells what a controller did as Event objects. The same thing told again about the same object counts the Event up
/// instead of adding one, as client-go's recorder does. For one thread. Events are told at best effort: one that cannot
/// be stored (its namespace goes away) is dropped.
class EventRecorder {
 public:
  /// `component`: "default-scheduler", "node-controller", ….
  EventRecorder(const Registry& registry, Store& store, std::string component);

  /// False: it could not be stored. Who has to be heard tells it again.
  bool normal(const nlohmann::json& object, const std::string& reason, const std::string& message) {
    return record(object, "Normal", reason, message);
  }
  bool warning(const nlohmann::json& object, const std::string& reason, const std::string& message) {
    return record(object, "Warning", reason, message);
  }

 private:
  /// What was told before, the latest last.
  struct Told {
    std::string what;
    Key event;
  };
  bool record(const nlohmann::json& object, const char* type, const std::string& reason, const std::string& message);
  bool count_up(const Key& event);
  void remember(std::string what, Key event);

  const Resource* resource_;
  ObjectWriter writer_;
  std::string component_;
  std::list<Told> told_;
  std::map<std::string, std::list<Told>::iterator> by_what_;
};

}  // namespace usbloop::apiserver
