#include "kube-sim/security/role_aggregation.h"

#include <algorithm>

#include "common/log.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/resources/rbac.h"
#include "kube-sim/resources/selector_object.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

const User& aggregation_user() {
  static const User kUser{"system:serviceaccount:kube-system:clusterrole-aggregation-controller", "", {}};
  return kUser;
}

/// The rules of all selected roles, by their names, each rule once.
json selected_rules(const json& selectors, const std::string& own_name, const std::vector<ObjectPtr>& roles) {
  json rules = json::array();
  for (const ObjectPtr& role : roles) {
    const bool selected = role->key.name != own_name &&
                          std::any_of(selectors.begin(), selectors.end(),
                                      [&](const json& selector) { return selector_fits(selector, role->labels); });
    if (!selected) continue;
    const json tree = role->parse();
    for (const json& rule : tree.value("rules", json()).is_array() ? tree["rules"] : json::array()) {
      if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
    }
  }
  return rules;
}

/// One round; true when a role changed.
Result<bool> aggregate_once(const Resource& resource, Store& store) {
  ObjectWriter writer(store);
  bool changed = false;
  const std::vector<ObjectPtr> roles = store.list(kClusterRoleResource, "").objects;
  for (const ObjectPtr& role : roles) {
    if (role->text.find("\"aggregationRule\"") == std::string::npos) continue;
    const json tree = role->parse();
    const json* selectors = element_at(tree, "/aggregationRule/clusterRoleSelectors");
    if (selectors == nullptr || !selectors->is_array()) continue;
    const json rules = selected_rules(*selectors, role->key.name, roles);
    if (tree.contains("rules") && tree["rules"] == rules) continue;
    const auto outcome = writer.update(resource, role->key, aggregation_user(), {}, [&](const json& current) {
      json object = current;
      object["rules"] = rules;
      return object;
    });
    // Deleted meanwhile: nothing to do.
    if (!outcome && outcome.error().code != 404) {
      return make_error(ErrorKind::internal, "aggregate the ClusterRole", role->key.name, outcome.error().message);
    }
    changed = true;
  }
  return changed;
}

}  // namespace

Result<> aggregate_roles(const Registry& registry, Store& store) {
  // Roles that select each other settle, because rules are only added. The bound guards against what nobody has thought
  // of.
  constexpr int kMostRounds = 100;
  const Resource* resource = registry.find_qualified(kClusterRoleResource);
  for (int round = 0; round < kMostRounds; ++round) {
    const auto changed = aggregate_once(*resource, store);
    if (!changed) return tl::unexpected(changed.error());
    if (!*changed) break;
  }
  return {};
}

RoleAggregator::RoleAggregator(const Registry& registry, Store& store, WatchHub& hub)
    : registry_(registry), store_(store), events_(hub.subscribe(kClusterRoleResource, [this] {
        const std::scoped_lock lock(mutex_);
        dirty_ = true;
        changed_.notify_one();
      })) {
  thread_ = std::thread([this] { run(); });
}

RoleAggregator::~RoleAggregator() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void RoleAggregator::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return dirty_ || stopping_; });
    if (stopping_) return;
    dirty_ = false;
    lock.unlock();
    try {
      if (const auto done = aggregate_roles(registry_, store_); !done) spdlog::error("{}", done.error().message());
    } catch (const std::exception& error) {
      spdlog::error("role aggregation: {}", error.what());
    }
    lock.lock();
  }
}

}  // namespace usbloop::apiserver
