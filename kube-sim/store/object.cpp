#include "kube-sim/store/object.h"

#include <nlohmann/json.hpp>

namespace usbloop::apiserver {
namespace {

Fields read_labels(const nlohmann::json& metadata) {
  Fields labels;
  const auto found = metadata.find("labels");
  if (found == metadata.end() || !found->is_object()) return labels;
  for (const auto& [name, value] : found->items()) {
    if (value.is_string()) labels.emplace(name, value.get<std::string>());
  }
  return labels;
}

ObjectPtr build(const Key& key, std::uint64_t version, const nlohmann::json& object, std::string text,
                const FieldReader& reader) {
  auto made = std::make_shared<Object>();
  made->key = key;
  made->version = version;
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
    made->uid = metadata->value("uid", "");
    made->labels = read_labels(*metadata);
  }
  if (reader) made->fields = reader(key.resource, object);
  made->fields["metadata.name"] = key.name;
  if (!key.namespace_.empty()) made->fields["metadata.namespace"] = key.namespace_;
  made->text = std::move(text);
  return made;
}

}  // namespace

nlohmann::json Object::parse() const { return nlohmann::json::parse(text); }

ObjectPtr make_object(const Key& key, std::uint64_t version, const nlohmann::json& object, const FieldReader& reader) {
  return build(key, version, object, object.dump(), reader);
}

ObjectPtr restore_object(const Key& key, std::uint64_t version, std::string text, const FieldReader& reader) {
  const auto object = nlohmann::json::parse(text);
  static_cast<void>(object.get_ref<const nlohmann::json::object_t&>());  // throws for what is no object
  return build(key, version, object, std::move(text), reader);
}

}  // namespace usbloop::apiserver
