#include "common/kube/informer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "common/stop_wait.h"

namespace usbloop::kube {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{100};
constexpr std::chrono::milliseconds kLongestPause{5'000};
/// A watch that ends sooner is a sign of trouble even if it ended in order.
constexpr std::chrono::seconds kShortWatch{1};

std::string text_of(const json& object, const char* pointer) {
  const json::json_pointer path(pointer);
  if (!object.contains(path)) return {};
  const json& value = object.at(path);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

std::string uid_of(const json& object) { return text_of(object, "/metadata/uid"); }
std::string version_of(const json& object) { return text_of(object, "/metadata/resourceVersion"); }

/// Versions are opaque, but every known server counts. A version that is no number compares as not older.
bool is_older(const json& object, const json& than) {
  const auto number = [](const std::string& text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  const auto one = number(version_of(object));
  const auto other = number(version_of(than));
  return one && other && *one < *other;
}

}  // namespace

Informer::Informer(const RestClient& client, std::string path, Callbacks callbacks)
    : client_(client), path_(std::move(path)), callbacks_(std::move(callbacks)) {}

void Informer::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (list(stop)) watch(stop);
    if (failures_ > 0 && !pause(stop)) return;
  }
}

bool Informer::list(const std::stop_token& stop) {
  const auto answer = client_.get(path_, stop);
  if (!answer) {
    if (!stop.stop_requested()) report(&answer.error());
    ++failures_;
    return false;
  }
  const auto items = answer->find("items");
  version_ = version_of(*answer);
  if (items == answer->end() || !items->is_array() || version_.empty()) {
    const Error error{ErrorKind::protocol, "list", path_, "the answer is no list"};
    report(&error);
    ++failures_;
    return false;
  }
  report(nullptr);
  replace(*items);
  return true;
}

/// Watches until a new list is needed.
void Informer::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto began = Clock::now();
    const auto end = client_.watch(
        path_, version_, [this](const json& event) { return apply(event); }, stop);
    const bool was_short = Clock::now() - began < kShortWatch;
    if (!was_short) failures_ = 0;
    if (!end) {
      ++failures_;
      // The list that follows finds out whether the server is gone or has only cut this connection.
      return;
    }
    if (*end == WatchEnd::expired) return;
    if (!was_short) continue;
    ++failures_;
    if (!pause(stop)) return;
  }
}

bool Informer::pause(const std::stop_token& stop) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto longest = std::min(kLongestPause, kFirstPause * (1U << std::min(failures_, 10U)));
  // Between half and all of it, so that many clients do not come back in step.
  const std::chrono::milliseconds time(
      std::uniform_int_distribution<std::int64_t>(longest.count() / 2, longest.count())(random));
  return wait_unless_stopped(stop, time);
}

void Informer::replace(const json& items) {
  std::set<std::string> touched;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [uid, object] : objects_) touched.insert(uid);
    std::map<std::string, Object> fresh;
    for (const json& item : items) {
      const std::string uid = uid_of(item);
      if (uid.empty()) continue;
      touched.insert(uid);
      fresh.insert_or_assign(uid, std::make_shared<const json>(item));
    }
    objects_ = std::move(fresh);
    synced_ = true;
  }
  changed_.notify_all();
  for (const auto& uid : touched) callbacks_.changed(uid);
}

bool Informer::apply(const json& event) {
  const json& object = event.at("object");  // EventLines has seen to both members
  if (const std::string version = version_of(object); !version.empty()) version_ = version;
  if (event.at("type") == "BOOKMARK") return true;
  const std::string uid = uid_of(object);
  if (uid.empty()) return true;
  {
    const std::lock_guard lock(mutex_);
    if (event.at("type") == "DELETED") {
      objects_.erase(uid);
    } else {
      auto& known = objects_[uid];
      if (known != nullptr && is_older(object, *known)) return true;
      known = std::make_shared<const json>(object);
    }
  }
  callbacks_.changed(uid);
  return true;
}

void Informer::report(const Error* error) {
  const bool reachable = error == nullptr;
  if (reported_ && reachable == was_reachable_) return;
  reported_ = true;
  was_reachable_ = reachable;
  callbacks_.reachable(error);
}

Informer::Object Informer::get(const std::string& uid) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(uid);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<std::string> Informer::uids() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> result;
  result.reserve(objects_.size());
  for (const auto& [uid, object] : objects_) result.push_back(uid);
  return result;
}

bool Informer::synced() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

bool Informer::wait_synced(const std::stop_token& stop) const {
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return synced_; });
}

void Informer::observe(json object) {
  const std::string uid = uid_of(object);
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(uid);
  // An object that has gone meanwhile must not come back.
  if (found == objects_.end() || is_older(object, *found->second)) return;
  found->second = std::make_shared<const json>(std::move(object));
}

}  // namespace usbloop::kube
