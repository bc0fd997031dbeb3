#include "kube-sim/schema/field_projection.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// Whether the name stands in a text as it is.
bool needs_no_escape(const std::string& name) {
  for (const char c : name) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
  }
  return true;
}

}  // namespace

void FieldProjection::add(const std::vector<std::string>& names) {
  FieldProjection* at = this;
  for (const std::string& name : names) {
    if (!needs_no_escape(name)) break;  // all of what is around it, then
    at = &at->below_[name];
  }
  at->whole_ = true;
}

std::optional<json> FieldProjection::read(std::string_view text) const {
  if (whole_ || !text.starts_with('{')) {
    json tree = json::parse(text, nullptr, false);
    if (tree.is_discarded()) return std::nullopt;
    return tree;
  }
  const auto members = json_members(text);
  return members ? read(*members) : std::nullopt;
}

std::optional<json> FieldProjection::read(const std::vector<JsonMember>& members) const {
  json tree = json::object();
  for (const auto& [name, value] : members) {
    const auto wanted = below_.find(name);
    if (wanted == below_.end()) continue;
    auto part = wanted->second.read(value);
    if (!part) return std::nullopt;
    tree[wanted->first] = std::move(*part);
  }
  return tree;
}

}  // namespace usbloop::apiserver
