#include "kube-sim/resources/selector_object.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

bool requirement_fits(const json& requirement, const json& labels) {
  const std::string key = text_at(requirement, "/key");
  const std::string operation = text_at(requirement, "/operator");
  const bool there = labels.is_object() && labels.contains(key);
  if (operation == "Exists") return there;
  if (operation == "DoesNotExist") return !there;
  const json* values = element_at(requirement, "/values");
  const bool listed = there && values != nullptr && values->is_array() &&
                      std::find(values->begin(), values->end(), labels.at(key)) != values->end();
  if (operation == "In") return listed;
  return operation == "NotIn" && !listed;
}

}  // namespace

bool selector_fits(const json& selector, const json& labels) {
  if (const json* wanted = element_at(selector, "/matchLabels"); wanted != nullptr && wanted->is_object()) {
    for (const auto& [key, value] : wanted->items()) {
      if (!labels.is_object() || !labels.contains(key) || labels.at(key) != value) return false;
    }
  }
  const json* more = element_at(selector, "/matchExpressions");
  return more == nullptr || !more->is_array() || std::all_of(more->begin(), more->end(), [&](const json& requirement) {
           return requirement_fits(requirement, labels);
         });
}

}  // namespace usbloop::apiserver
