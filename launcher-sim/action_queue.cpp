#include "launcher-sim/action_queue.h"

#include <utility>

namespace usbloop::launcher {
namespace {

void refuse(const ActionDone& done) { done(make_error(ErrorKind::unavailable, "reach", "the guest", "the node ends")); }

}  // namespace

void ActionQueue::add(const std::string& uid, GuestAction action, ActionDone done) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      waiting_[uid].push_back({action, std::move(done)});
      return;
    }
  }
  refuse(done);
}

std::vector<ActionQueue::Waiting> ActionQueue::take(const std::string& uid) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(uid);
  if (found == waiting_.end()) return {};
  auto actions = std::move(found->second);
  waiting_.erase(found);
  return actions;
}

void ActionQueue::close() {
  decltype(waiting_) left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(waiting_);
  }
  for (const auto& [uid, actions] : left) {
    for (const Waiting& one : actions) refuse(one.done);
  }
}

}  // namespace usbloop::launcher
