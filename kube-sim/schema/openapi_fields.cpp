#include <nlohmann/json.hpp>

#include "kube-sim/schema/openapi_schema.h"
#include "kube-sim/schema/validation.h"

// Pruning and defaults.
namespace usbloop::apiserver {
namespace {

using nlohmann::json;

bool is_set(const json& schema, const char* name) {
  const auto found = schema.find(name);
  return found != schema.end() && *found == true;
}

const json* child_schema(const json& schema, const std::string& name) {
  const auto properties = schema.find("properties");
  if (properties != schema.end() && properties->contains(name)) return &properties->at(name);
  const auto more = schema.find("additionalProperties");
  return more != schema.end() && more->is_object() ? &*more : nullptr;
}

std::string joined_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

class Pruning {
 public:
  explicit Pruning(std::vector<std::string>* unknown) : unknown_(unknown) {}

  /// `whole`: the value is an object of its own, with apiVersion, kind and metadata that no schema needs to name.
  void prune(const json& schema, json& value, const std::string& path, bool whole) {
    if (value.is_array()) {
      const auto items = schema.find("items");
      if (items == schema.end()) return;
      for (std::size_t i = 0; i < value.size(); ++i) {
        prune(*items, value[i], path + "[" + std::to_string(i) + "]", is_set(*items, "x-kubernetes-embedded-resource"));
      }
    } else if (value.is_object()) {
      prune_object(schema, value, path, whole);
    }
  }

 private:
  void prune_object(const json& schema, json& value, const std::string& path, bool whole) {
    const bool keeps = is_set(schema, "x-kubernetes-preserve-unknown-fields") ||
                       (schema.contains("additionalProperties") && schema.at("additionalProperties") == true);
    for (auto at = value.begin(); at != value.end();) {
      const std::string& name = at.key();
      const bool own = whole && (name == "apiVersion" || name == "kind" || name == "metadata");
      const json* child = own ? nullptr : child_schema(schema, name);
      if (child != nullptr) {
        prune(*child, at.value(), joined_path(path, name), is_set(*child, "x-kubernetes-embedded-resource"));
      } else if (!own && !keeps) {
        if (unknown_ != nullptr && unknown_->size() < kMaxFindings) unknown_->push_back(joined_path(path, name));
        at = value.erase(at);
        continue;
      }
      ++at;
    }
  }

  std::vector<std::string>* unknown_;
};

}  // namespace

void openapi_prune(const json& schema, json& object, std::vector<std::string>* unknown) {
  Pruning(unknown).prune(schema, object, "", true);
}

void openapi_default(const json& schema, json& value) {
  if (value.is_array()) {
    const auto items = schema.find("items");
    if (items == schema.end()) return;
    for (json& item : value) openapi_default(*items, item);
    return;
  }
  if (!value.is_object()) return;
  if (const auto properties = schema.find("properties"); properties != schema.end()) {
    for (const auto& [name, property] : properties->items()) {
      const auto given = value.find(name);
      const bool absent = given == value.end() || (given->is_null() && !is_set(property, "nullable"));
      if (absent && property.contains("default")) value[name] = property.at("default");
    }
  }
  for (auto& [name, child] : value.items()) {
    if (const json* below = child_schema(schema, name)) openapi_default(*below, child);
  }
}

}  // namespace usbloop::apiserver
