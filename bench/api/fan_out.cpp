#include "bench/api/fan_out.h"

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "bench/api/requests.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/vmi.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using e2e::Failure;

constexpr std::chrono::seconds kEventTime{120};
constexpr std::string_view kMark = "\"bench\":\"write-";

std::string patched_path() { return e2e::vmis_path() + "/" + vmi_name(0); }

/// The number of the write in an event's text, 0 when it is another's. No JSON parser: it would be what is measured.
std::size_t write_of(std::string_view line) {
  std::size_t write = 0;
  if (const auto at = line.find(kMark); at != std::string_view::npos) {
    std::from_chars(line.data() + at + kMark.size(), line.data() + line.size(), write);
  }
  return write;
}

/// What the watchers have seen.
class Sightings {
 public:
  explicit Sightings(std::size_t watchers) : watchers_(watchers) {}

  void seen(std::size_t write, Clock::time_point when) {
    const std::scoped_lock lock(mutex_);
    ++events_;
    if (write != awaited_) return;
    times_.push_back(when);
    if (times_.size() == watchers_) changed_.notify_all();
  }
  void fail() {
    const std::scoped_lock lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }
  /// From now on, notes when each watcher sees this write, and counts events.
  void await(std::size_t write) {
    const std::scoped_lock lock(mutex_);
    awaited_ = write;
    times_.clear();
    events_ = 0;
  }
  /// Waits until all watchers have seen it, and the events that there are to be seen up to it.
  std::vector<Clock::time_point> all(std::size_t events_each) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kEventTime, [&] { return failed_ || times_.size() == watchers_; });
    if (failed_) throw Failure("the server ended a watch");
    if (times_.size() != watchers_) throw Failure("a watcher did not see a write");
    if (events_ != events_each * watchers_) throw Failure("a watcher did not see every write once");
    return times_;
  }

 private:
  const std::size_t watchers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t awaited_ = 0;
  std::size_t events_ = 0;
  std::vector<Clock::time_point> times_;
  bool failed_ = false;
};

}  // namespace

struct Watchers::State {
  explicit State(std::size_t count) : sightings(count) {}

  /// One watcher's thread.
  void follow(httplib::SSLClient& client, const std::string& path) {
    std::string text;
    client.Get(path, [&](const char* data, std::size_t size) {
      const auto now = Clock::now();
      text.append(data, size);
      std::size_t begin = 0;
      for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::size_t write = write_of(std::string_view(text).substr(begin, end - begin));
        if (write > 0) sightings.seen(write, now);
      }
      text.erase(0, begin);
      return !ending.load();
    });
    if (!ending) sightings.fail();
  }

  Sightings sightings;
  std::atomic<bool> ending = false;
  std::vector<std::unique_ptr<httplib::SSLClient>> clients;
  std::unique_ptr<httplib::SSLClient> writer;
  std::size_t writes = 0;
};

Watchers::Watchers(std::unique_ptr<State> state) : state_(std::move(state)) {}

// A delegated constructor: a failure below ends in the destructor, which ends the threads.
Watchers::Watchers(const e2e::Api& api, std::size_t count) : Watchers(std::make_unique<State>(count)) {
  state_->writer = connect_patiently(api);
  const auto object = expect(state_->writer->Get(patched_path()), 200);
  // The version of the list: that of the object may have left the history of the server.
  const std::string path = e2e::vmis_path() + "?watch=true&resourceVersion=" + list_version(*state_->writer);
  // Writes are counted on, so that every patch changes something.
  state_->writes = write_of(object);
  state_->sightings.await(state_->writes + 1);
  for (std::size_t i = 0; i < count; ++i) {
    httplib::SSLClient& client = *state_->clients.emplace_back(connect_patiently(api));
    threads_.emplace_back([this, &client, path] { state_->follow(client, path); });
  }
  patch();
  state_->sightings.all(1);
}

Watchers::~Watchers() {
  state_->ending = true;
  for (const auto& client : state_->clients) client->stop();
}

void Watchers::patch() {
  const std::string value = "write-" + std::to_string(++state_->writes);
  const nlohmann::json body = {{"metadata", {{"annotations", {{"bench", value}}}}}};
  expect(state_->writer->Patch(patched_path(), body.dump(), "application/merge-patch+json"), 200);
}

Watchers::Burst Watchers::burst(std::size_t writes) {
  state_->sightings.await(state_->writes + writes);
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < writes; ++i) patch();
  const std::chrono::duration<double> patching = Clock::now() - begin;
  const auto times = state_->sightings.all(writes);
  const std::chrono::duration<double> spreading = times.back() - begin;
  return {.writes_per_second = static_cast<double>(writes) / patching.count(),
          .events_per_second = static_cast<double>(writes * times.size()) / spreading.count()};
}

std::vector<double> Watchers::single() {
  state_->sightings.await(state_->writes + 1);
  const auto begin = Clock::now();
  patch();
  std::vector<double> times;
  for (const auto when : state_->sightings.all(1)) {
    times.push_back(std::chrono::duration<double, std::milli>(when - begin).count());
  }
  return times;
}

}  // namespace usbloop::bench
