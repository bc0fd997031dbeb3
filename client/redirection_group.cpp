#include "client/redirection_group.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "client/exit_status.h"

namespace usbloop::client {

namespace {

/// Each line is that of one device.
std::string with_name(const std::string& name, const std::string& lines) {
  std::string text = name + ": ";
  for (const char letter : lines) {
    text += letter;
    if (letter == '\n') text += name + ": ";
  }
  return text;
}

}  // namespace

RedirectionGroup::RedirectionGroup(const kube::ClusterAccess& access, const Target& target,
                                   std::vector<std::unique_ptr<DeviceSource>> devices,
                                   const RedirectionOptions& options, GroupHooks hooks)
    : hooks_(std::move(hooks)), statuses_(devices.size()) {
  const bool is_alone = devices.size() == 1;
  for (auto& device : devices) {
    auto hooks_of_it = hooks_for(redirections_.size(), is_alone ? "" : device->name());
    redirections_.push_back(
        std::make_unique<Redirection>(access, target, std::move(device), options, std::move(hooks_of_it)));
  }
}

RedirectionHooks RedirectionGroup::hooks_for(std::size_t index, const std::string& name) {
  RedirectionHooks hooks;
  hooks.say = [this, name](const std::string& lines) { hooks_.say(name.empty() ? lines : with_name(name, lines)); };
  hooks.reload_access = [this] {
    const std::lock_guard lock(reload_mutex_);  // a plugin that gets tokens may keep them in a file
    return hooks_.reload_access();
  };
  hooks.leave = [this, index] { settle(index, kExitAsAsked, true); };
  return hooks;
}

int RedirectionGroup::run_one(std::size_t index) {
  try {
    return redirections_[index]->run();
  } catch (const std::exception& exception) {
    hooks_.say(text_of({ErrorKind::internal, "go on", "", exception.what(), ""}));
    return kExitFailed;
  }
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
    threads.emplace_back([this, index] { settle(index, run_one(index), false); });
  }
  for (auto& thread : threads) thread.join();
  int worst = kExitAsAsked;
  for (const auto& status : statuses_) worst = std::max(worst, status.value_or(kExitFailed));
  return worst;
}

void RedirectionGroup::stop() {
  for (const auto& redirection : redirections_) redirection->stop();
}

}  // namespace usbloop::client
