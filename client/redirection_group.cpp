#include "client/redirection_group.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "client/exit_status.h"

namespace usbloop::client {

RedirectionGroup::RedirectionGroup(const kube::ClusterAccess& access, const Target& target,
                                   std::vector<std::unique_ptr<DeviceSource>> devices,
                                   const RedirectionOptions& options, GroupHooks hooks)
    : hooks_(std::move(hooks)), statuses_(devices.size()) {
  for (auto& device : devices) {
    auto hooks_of_it = hooks_for(redirections_.size());
    redirections_.push_back(
        std::make_unique<Redirection>(access, target, std::move(device), options, std::move(hooks_of_it)));
  }
}

RedirectionHooks RedirectionGroup::hooks_for(std::size_t index) {
  RedirectionHooks hooks;
  hooks.tell = [this, index](const Event& event) { hooks_.tell(index, event); };
  hooks.reload_access = [this] {
    const std::lock_guard lock(reload_mutex_);  // a plugin that gets tokens may keep them in a file
    return hooks_.reload_access();
  };
  hooks.leave = [this, index](int status) { settle(index, status, true); };
  return hooks;
}

void RedirectionGroup::settle(std::size_t index, int status, bool left) {
  const std::lock_guard lock(mutex_);
  if (statuses_[index]) return;
  statuses_[index] = status;
  any_left_ = any_left_ || left;
  int worst = kExitAsAsked;
  for (const auto& one : statuses_) {
    if (!one) return;
    worst = std::max(worst, *one);
  }
  if (any_left_) hooks_.leave(worst);
}

int RedirectionGroup::run() {
  std::vector<std::thread> threads;
  for (std::size_t index = 0; index < redirections_.size(); ++index) {
    threads.emplace_back([this, index] { settle(index, redirections_[index]->run(), false); });
  }
  for (auto& thread : threads) thread.join();
  int worst = kExitAsAsked;
  for (const auto& status : statuses_) worst = std::max(worst, status.value_or(kExitFailed));
  return worst;
}

std::vector<Counters> RedirectionGroup::counters() const {
  std::vector<Counters> all;
  for (const auto& redirection : redirections_) all.push_back(redirection->counters());
  return all;
}

void RedirectionGroup::stop() {
  for (const auto& redirection : redirections_) redirection->stop();
}

}  // namespace usbloop::client
