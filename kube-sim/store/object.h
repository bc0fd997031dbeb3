#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace usbloop::apiserver {

using Fields = std::map<std::string, std::string>;

/// What names one object in the store.
struct Key {
  std::string resource;    ///< with its group: "virtualmachineinstances.kubevirt.io", "nodes"
  std::string namespace_;  ///< empty for cluster-scoped objects
  std::string name;
  auto operator<=>(const Key&) const = default;
};

/// One version of a stored object. The JSON text is kept and not the tree: lists and watches pass it on as it is, and
/// it is several times smaller. Immutable, shared between the store, its history and the answers being written.
struct Object {
  Key key;
  std::uint64_t version = 0;  ///< metadata.resourceVersion
  std::string uid;
  Fields labels;
  Fields fields;  ///< what field selectors can ask for, "metadata.name" among them
  std::string text;

  /// The text as a tree.
  [[nodiscard]] nlohmann::json parse() const;
};

using ObjectPtr = std::shared_ptr<const Object>;

/// Reads the selectable fields of a resource's object, without metadata.name and metadata.namespace.
using FieldReader = std::function<Fields(const std::string& resource, const nlohmann::json& object)>;

/// Builds the stored form; `object` carries its metadata.resourceVersion already.
ObjectPtr make_object(const Key& key, std::uint64_t version, const nlohmann::json& object, const FieldReader& reader);
/// The same from the text that such an object had. Throws nlohmann::json::exception when it is no JSON.
ObjectPtr restore_object(const Key& key, std::uint64_t version, std::string text, const FieldReader& reader);

enum class EventType { added, modified, deleted };

/// One write. `previous` is what the object was before: null for `added`.
struct Event {
  EventType type = EventType::added;
  ObjectPtr object;  ///< for `deleted`: the last state, with the version of the deletion
  ObjectPtr previous;
};

}  // namespace usbloop::apiserver
