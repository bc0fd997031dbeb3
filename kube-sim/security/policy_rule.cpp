#include "kube-sim/security/policy_rule.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;

/// More single rights than a sensible role has. Each is compared with every rule that the user holds.
constexpr std::size_t kMostSingleRights = 20'000;

bool has(const Strings& list, std::string_view item) { return std::find(list.begin(), list.end(), item) != list.end(); }

bool matches(const Strings& list, std::string_view item) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& own) { return own == "*" || own == item; });
}

/// "pods/status" is matched by itself, by "*" and by "*/status".
bool matches_resource(const Strings& list, std::string_view resource, std::string_view subresource) {
  const std::string whole =
      subresource.empty() ? std::string(resource) : std::string(resource) + "/" + std::string(subresource);
  if (matches(list, whole)) return true;
  return !subresource.empty() && has(list, "*/" + std::string(subresource));
}

bool matches_url(const Strings& list, std::string_view path) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view own) {
    if (own == "*" || own == path) return true;
    return own.ends_with('*') && path.starts_with(own.substr(0, own.find_last_not_of('*') + 1));
  });
}

Strings strings_at(const json& rule, const char* name) {
  Strings list;
  const auto found = rule.find(name);
  if (found == rule.end() || !found->is_array()) return list;
  for (const json& item : *found) {
    if (item.is_string()) list.push_back(item.get<std::string>());
  }
  return list;
}

/// One verb on one resource (with one name or any) or on one path.
bool covers(const PolicyRule& held, const PolicyRule& single) {
  if (!matches(held.verbs, single.verbs.front())) return false;
  if (!single.urls.empty()) return matches_url(held.urls, single.urls.front());
  if (!matches(held.groups, single.groups.front())) return false;
  const std::string& resource = single.resources.front();
  const auto slash = resource.find('/');
  const bool covered = matches(held.resources, resource) ||
                       (slash != std::string::npos && has(held.resources, "*" + resource.substr(slash)));
  if (!covered) return false;
  return held.names.empty() || (!single.names.empty() && has(held.names, single.names.front()));
}

std::size_t count_singles(const PolicyRule& rule) {
  const std::size_t names = std::max<std::size_t>(1, rule.names.size());
  // No list has more items than a body has bytes, so that none of the products overflows.
  const std::size_t things = rule.groups.size() * rule.resources.size();
  if (things > kMostSingleRights) return things;
  return things * names * rule.verbs.size() + rule.urls.size() * rule.verbs.size();
}

void add_singles(const PolicyRule& rule, std::vector<PolicyRule>& singles) {
  for (const std::string& verb : rule.verbs) {
    for (const std::string& group : rule.groups) {
      for (const std::string& resource : rule.resources) {
        for (const std::string& name : rule.names) singles.push_back({{verb}, {group}, {resource}, {name}});
        if (rule.names.empty()) singles.push_back({{verb}, {group}, {resource}});
      }
    }
    for (const std::string& url : rule.urls) singles.push_back({{verb}, {}, {}, {}, {url}});
  }
}

std::string compact(const PolicyRule& rule) {
  std::string text;
  const auto add = [&](const char* name, const Strings& list) {
    if (!list.empty()) text += (text.empty() ? "" : ", ") + std::string(name) + ":" + quoted_list(list);
  };
  add("APIGroups", rule.groups);
  add("Resources", rule.resources);
  add("NonResourceURLs", rule.urls);
  add("ResourceNames", rule.names);
  add("Verbs", rule.verbs);
  return "{" + text + "}";
}

}  // namespace

bool PolicyRule::allows(const Attributes& attributes) const {
  if (!matches(verbs, attributes.verb)) return false;
  if (!attributes.is_resource) return matches_url(urls, attributes.path);
  return matches(groups, attributes.group) &&
         matches_resource(resources, attributes.resource, attributes.subresource) &&
         (names.empty() || has(names, attributes.name));
}

std::vector<PolicyRule> read_rules(const json& object) {
  std::vector<PolicyRule> rules;
  const auto found = object.find("rules");
  if (found == object.end() || !found->is_array()) return rules;
  for (const json& rule : *found) {
    if (!rule.is_object()) continue;
    rules.push_back({strings_at(rule, "verbs"), strings_at(rule, "apiGroups"), strings_at(rule, "resources"),
                     strings_at(rule, "resourceNames"), strings_at(rule, "nonResourceURLs")});
  }
  return rules;
}

json to_json(const PolicyRule& rule) {
  json object = {{"verbs", rule.verbs}};
  if (!rule.groups.empty()) object["apiGroups"] = rule.groups;
  if (!rule.resources.empty()) object["resources"] = rule.resources;
  if (!rule.names.empty()) object["resourceNames"] = rule.names;
  if (!rule.urls.empty()) object["nonResourceURLs"] = rule.urls;
  return object;
}

tl::expected<std::vector<PolicyRule>, std::string> uncovered(const std::vector<PolicyRule>& held,
                                                             const std::vector<PolicyRule>& wanted) {
  std::size_t count = 0;
  for (const PolicyRule& rule : wanted) {
    count += count_singles(rule);
    if (count > kMostSingleRights) return tl::unexpected(std::string("the rules name too many single rights"));
  }
  std::vector<PolicyRule> singles;
  for (const PolicyRule& rule : wanted) add_singles(rule, singles);
  std::erase_if(singles, [&](const PolicyRule& single) {
    return std::any_of(held.begin(), held.end(), [&](const PolicyRule& rule) { return covers(rule, single); });
  });
  return singles;
}

std::string describe(std::vector<PolicyRule> rules) {
  std::map<std::pair<std::string, std::string>, PolicyRule> by_resource;
  std::set<std::string> lines;
  for (PolicyRule& rule : rules) {
    if (!rule.urls.empty() || !rule.names.empty() || rule.resources.size() != 1 || rule.groups.size() != 1) {
      lines.insert(compact(rule));
      continue;
    }
    auto [place, is_new] = by_resource.try_emplace({rule.groups.front(), rule.resources.front()}, rule);
    if (is_new) continue;
    for (std::string& verb : rule.verbs) place->second.verbs.push_back(std::move(verb));
  }
  for (const auto& [resource, rule] : by_resource) lines.insert(compact(rule));
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

std::string quoted_list(const Strings& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : " ") + json(item).dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return "[" + text + "]";
}

}  // namespace usbloop::apiserver
