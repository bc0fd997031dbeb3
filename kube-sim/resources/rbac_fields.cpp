#include "kube-sim/resources/rbac_fields.h"

#include <nlohmann/json.hpp>

#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver::rbac {
namespace {

using nlohmann::json;

const json* member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string path_of(const std::string& path, const char* name) { return path.empty() ? name : path + "." + name; }

}  // namespace

const json* array_in(const json& object, const char* name, const std::string& path, Causes& causes) {
  const json* found = member(object, name);
  if (found == nullptr || found->is_array()) return found;
  causes.push_back(field::wrong_type(path_of(path, name), *found, "array"));
  return nullptr;
}

const json* object_in(const json& object, const char* name, const std::string& path, Causes& causes) {
  const json* found = member(object, name);
  if (found == nullptr || found->is_object()) return found;
  causes.push_back(field::wrong_type(path_of(path, name), *found, "object"));
  return nullptr;
}

void check_strings(const json& object, std::initializer_list<const char*> names, const std::string& path,
                   Causes& causes) {
  for (const char* name : names) {
    const json* found = member(object, name);
    if (found != nullptr && !found->is_string()) {
      causes.push_back(field::wrong_type(path_of(path, name), *found, "string"));
    }
  }
}

}  // namespace usbloop::apiserver::rbac
