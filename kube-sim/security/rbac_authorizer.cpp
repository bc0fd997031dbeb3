#include "kube-sim/security/rbac_authorizer.h"

#include "kube-sim/resources/rbac.h"

namespace usbloop::apiserver {
namespace {

constexpr std::array<const char*, 4> kResources = {kRoleResource, kClusterRoleResource, kRoleBindingResource,
                                                   kClusterRoleBindingResource};

/// As kube-apiserver tells of bindings whose role is missing.
std::string missing_role(const RbacIndex::Binding& binding) {
  const bool cluster = binding.role_kind == "ClusterRole";
  return std::string(cluster ? "clusterrole" : "role") + "." + kRbacGroup + " \"" + binding.role_name + "\" not found";
}

std::string aggregated(const std::vector<std::string>& errors) {
  if (errors.size() == 1) return errors.front();
  std::string text;
  for (const std::string& error : errors) text += (text.empty() ? "" : ", ") + error;
  return "[" + text + "]";
}

}  // namespace

RbacAuthorizer::RbacAuthorizer(const Store& store, WatchHub& hub) : store_(store), hub_(hub) {
  for (const char* resource : kResources) {
    subscriptions_.push_back(hub.subscribe(resource, [this] { ++writes_; }));
  }
  reload();
}

Decision RbacAuthorizer::authorize(const User& user, const Attributes& attributes) const {
  if (user.in_group(kMastersGroup)) return {true};
  Decision decision;
  std::vector<std::string> errors;
  const auto lock = current();
  index_.visit(user, attributes.namespace_, [&](const RbacIndex::Source& source, const std::vector<PolicyRule>* rules) {
    if (rules == nullptr) {
      errors.push_back(missing_role(source.binding));
      return true;
    }
    for (const PolicyRule& rule : *rules) {
      if (!rule.allows(attributes)) continue;
      decision = {true, "RBAC: allowed by " + source.text()};
      return false;
    }
    return true;
  });
  if (!decision.allowed && !errors.empty()) decision.reason = "RBAC: " + aggregated(errors);
  return decision;
}

std::vector<PolicyRule> RbacAuthorizer::rules_for(const User& user, const std::string& namespace_) const {
  std::vector<PolicyRule> all;
  const auto lock = current();
  index_.visit(user, namespace_, [&](const RbacIndex::Source&, const std::vector<PolicyRule>* rules) {
    if (rules != nullptr) all.insert(all.end(), rules->begin(), rules->end());
    return true;
  });
  return all;
}

Rules RbacAuthorizer::rules_of(const std::string& kind, const std::string& name, const std::string& namespace_) const {
  const auto lock = current();
  return index_.rules_of(kind, name, namespace_);
}

std::shared_lock<std::shared_mutex> RbacAuthorizer::current() const {
  const std::uint64_t wanted = writes_;
  std::shared_lock lock(mutex_);
  while (seen_writes_ < wanted) {
    lock.unlock();
    refresh();
    lock.lock();
  }
  return lock;
}

void RbacAuthorizer::refresh() const {
  constexpr std::size_t kBatch = 1000;
  const std::unique_lock lock(mutex_);
  // Read first: a write from here on is either found below or counted beyond this number.
  const std::uint64_t writes = writes_;
  if (seen_writes_ >= writes) return;
  for (std::size_t i = 0; i < kResources.size(); ++i) {
    while (true) {
      const WatchHub::Batch batch = hub_.read(kResources[i], cursors_[i], kBatch);
      if (batch.expired) return reload();
      for (const Event& event : batch.events) {
        if (event.type == EventType::deleted) {
          index_.remove(event.object->key);
        } else {
          index_.put(*event.object);
        }
        cursors_[i] = event.object->version;
      }
      if (batch.events.size() < kBatch) break;
    }
  }
  seen_writes_ = writes;
}

void RbacAuthorizer::reload() const {
  const std::uint64_t writes = writes_;
  index_.clear();
  for (std::size_t i = 0; i < kResources.size(); ++i) {
    const Store::Listing listing = store_.list(kResources[i], "");
    for (const ObjectPtr& object : listing.objects) index_.put(*object);
    cursors_[i] = listing.version;
  }
  seen_writes_ = writes;
}

}  // namespace usbloop::apiserver
