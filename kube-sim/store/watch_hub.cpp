#include "kube-sim/store/watch_hub.h"

#include <algorithm>

namespace usbloop::apiserver {

WatchHub::History& WatchHub::history_of(const std::string& resource) {
  auto [found, inserted] = histories_.try_emplace(resource);
  if (inserted) found->second.forgotten = begin_;
  return found->second;
}

void WatchHub::begin_at(std::uint64_t version) {
  const std::scoped_lock lock(mutex_);
  begin_ = std::max(begin_, version);
  current_ = std::max(current_, version);
  for (auto& [resource, history] : histories_) history.forgotten = std::max(history.forgotten, version);
}

WatchHub::Batch WatchHub::read(const std::string& resource, std::uint64_t cursor, std::size_t limit) const {
  const std::scoped_lock lock(mutex_);
  Batch batch;
  batch.current = current_;
  const auto found = histories_.find(resource);
  batch.expired = cursor < (found == histories_.end() ? begin_ : found->second.forgotten);
  if (batch.expired || found == histories_.end()) return batch;
  const auto& events = found->second.events;
  auto next = std::upper_bound(events.begin(), events.end(), cursor, [](std::uint64_t version, const Event& event) {
    return version < event.object->version;
  });
  for (; next != events.end() && batch.events.size() < limit; ++next) batch.events.push_back(*next);
  if (next != events.end()) batch.current = batch.events.empty() ? cursor : batch.events.back().object->version;
  return batch;
}

void WatchHub::publish(Event event) {
  const std::string resource = event.object->key.resource;
  record(std::move(event));
  wake(resource);
}

void WatchHub::record(Event event) {
  const std::scoped_lock lock(mutex_);
  History& history = history_of(event.object->key.resource);
  current_ = std::max(current_, event.object->version);
  history.events.push_back(std::move(event));
  if (history.events.size() > capacity_) {
    history.forgotten = history.events.front().object->version;
    history.events.pop_front();
  }
}

void WatchHub::wake(const std::string& resource) const {
  const std::scoped_lock lock(mutex_);
  const auto found = histories_.find(resource);
  if (found == histories_.end()) return;
  for (const auto& wake_one : found->second.wakes) wake_one();
}

WatchHub::Subscription WatchHub::subscribe(const std::string& resource, std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  History& history = history_of(resource);
  history.wakes.push_back(std::move(wake));
  return {this, resource, std::prev(history.wakes.end())};
}

WatchHub::Subscription::~Subscription() {
  if (hub_ == nullptr) return;
  const std::scoped_lock lock(hub_->mutex_);
  hub_->histories_[resource_].wakes.erase(at_);
}

}  // namespace usbloop::apiserver
