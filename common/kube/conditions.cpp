#include "common/kube/conditions.h"

#include <nlohmann/json.hpp>

#include "common/json_at.h"

namespace usbloop::kube {
namespace {

using nlohmann::json;

json& conditions_of(json& object) {
  json& conditions = object["status"]["conditions"];
  if (!conditions.is_array()) conditions = json::array();
  return conditions;
}

void put_text(json& object, const char* name, const std::string& text) {
  if (text.empty()) {
    object.erase(name);
  } else {
    object[name] = text;
  }
}

}  // namespace

void set_condition(json& object, const Condition& condition, const std::string& now) {
  json& conditions = conditions_of(object);
  for (json& known : conditions) {
    if (text_at(known, "/type") != condition.type) continue;
    if (text_at(known, "/status") != condition.status) known["lastTransitionTime"] = now;
    known["status"] = condition.status;
    put_text(known, "reason", condition.reason);
    put_text(known, "message", condition.message);
    return;
  }
  json fresh = {
      {"type", condition.type}, {"status", condition.status}, {"lastProbeTime", nullptr}, {"lastTransitionTime", now}};
  put_text(fresh, "reason", condition.reason);
  put_text(fresh, "message", condition.message);
  conditions.push_back(std::move(fresh));
}

void remove_condition(json& object, const std::string& type) {
  if (find_condition(object, type) == nullptr) return;
  auto& conditions = conditions_of(object).get_ref<json::array_t&>();
  std::erase_if(conditions, [&](const json& condition) { return text_at(condition, "/type") == type; });
}

const json* find_condition(const json& object, const std::string& type) {
  const json& conditions = at(object, "/status/conditions");
  if (!conditions.is_array()) return nullptr;
  for (const json& condition : conditions) {
    if (text_at(condition, "/type") == type) return &condition;
  }
  return nullptr;
}

}  // namespace usbloop::kube
