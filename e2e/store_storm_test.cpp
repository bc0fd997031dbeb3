// The store under fire. The API server is killed in a storm of writes, again and again, and started on what is left. No
// acknowledged write may be lost, none may be there in part, versions never go back, and watchers go on without a gap
// or a repetition.
#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <thread>

#include "e2e/harness/connect.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/loop.h"

using namespace usbloop::e2e;
using nlohmann::json;

namespace {

const std::string kEvents = "/api/v1/namespaces/default/events";
constexpr const char* kMarker = "marker";

json event_object(const std::string& name, const std::string& message) {
  return {{"metadata", {{"name", name}}},
          {"involvedObject", {{"kind", "Node"}, {"name", "storm"}}},
          {"reason", "Storm"},
          {"type", "Normal"},
          {"message", message}};
}

std::uint64_t version_of(const json& object) {
  return std::stoull(object.at("metadata").at("resourceVersion").get<std::string>());
}

/// What the server's processes and the threads of a case tell each other: the number of acknowledged writes, and which
/// life of the server it is.
struct Battle {
  std::mutex mutex;
  std::condition_variable changed;
  int life = 0;
  int acknowledged = 0;
  bool over = false;
  std::uint64_t highest = 0;  ///< version that was acknowledged
  std::vector<std::string> faults;

  void fault(const std::string& text) {
    const std::scoped_lock lock(mutex);
    faults.push_back(text);
    changed.notify_all();
  }
};

/// Writes objects of its own and remembers what the server said of them.
class Writer {
 public:
  Writer(const Api& api, Battle& battle, int number)
      : api_(api), battle_(battle), number_(number), random_(static_cast<unsigned>(number)) {}

  /// Until the server no longer answers.
  void run() {
    const auto client = connect(api_, 60s);
    while (step(*client)) {
    }
  }

  /// After a life of the server: each object is what was acknowledged, or what the last, unanswered request made of it.
  void check(const std::map<std::string, json>& found) {
    for (int i = 0; i < kObjects; ++i) {
      const std::string name = name_of(i);
      const auto at = found.find(name);
      const std::string is = at == found.end() ? "" : at->second.at("message").get<std::string>();
      const std::string was = messages_.count(name) != 0 ? messages_[name] : "";
      const bool attempted = unanswered_ && unanswered_->first == name && unanswered_->second == is;
      if (is != was && !attempted) {
        battle_.fault(name + " is \"" + is.substr(0, 40) + "\" and was \"" + was.substr(0, 40) + "\"");
      }
      if (at == found.end()) {
        messages_.erase(name);
        versions_.erase(name);
      } else {
        messages_[name] = is;
        versions_[name] = version_of(at->second);
      }
    }
    unanswered_.reset();
  }

 private:
  static constexpr int kObjects = 8;
  [[nodiscard]] std::string name_of(int i) const { return "w" + std::to_string(number_) + "-" + std::to_string(i); }

  bool step(httplib::SSLClient& client) {
    const std::string name = name_of(static_cast<int>(random_() % kObjects));
    const std::string address = kEvents + "/" + name;
    // Of very different lengths, so that a torn write would show.
    const std::string message = name + " step " + std::to_string(++steps_) + " " + std::string(random_() % 9000, 'x');
    const bool exists = messages_.count(name) != 0;
    const auto choice = random_() % 3;
    if (exists && choice == 0) {
      unanswered_ = {name, ""};
      return take(client.Delete(address), name, "");
    }
    unanswered_ = {name, message};
    if (!exists)
      return take(client.Post(kEvents, event_object(name, message).dump(), "application/json"), name, message);
    if (choice == 1) {
      const json patch = {{"message", message}};
      return take(client.Patch(address, patch.dump(), "application/merge-patch+json"), name, message);
    }
    json object = event_object(name, message);
    object["metadata"]["resourceVersion"] = std::to_string(versions_[name]);
    return take(client.Put(address, object.dump(), "application/json"), name, message);
  }

  bool take(const httplib::Result& result, const std::string& name, const std::string& message) {
    if (!result) return false;
    if (result->status != 200 && result->status != 201) {
      battle_.fault("writing " + name + ": " + std::to_string(result->status) + " " + result->body.substr(0, 300));
      return false;
    }
    unanswered_.reset();
    if (message.empty()) {
      messages_.erase(name);
      versions_.erase(name);
    } else {
      messages_[name] = message;
      versions_[name] = version_of(json::parse(result->body));
    }
    const std::scoped_lock lock(battle_.mutex);
    ++battle_.acknowledged;
    if (!message.empty()) battle_.highest = std::max(battle_.highest, versions_[name]);
    battle_.changed.notify_all();
    return true;
  }

  const Api& api_;
  Battle& battle_;
  const int number_;
  std::mt19937 random_;
  int steps_ = 0;
  std::map<std::string, std::string> messages_;  ///< as acknowledged
  std::map<std::string, std::uint64_t> versions_;
  std::optional<std::pair<std::string, std::string>> unanswered_;  ///< name and message; empty message: deleted
};

/// Follows all objects over the lives of the server with one cursor; never lists.
class Watcher {
 public:
  Watcher(const Api& api, Battle& battle, std::uint64_t from)
      : api_(api), battle_(battle), version_(from), thread_([this] { run(); }) {}
  ~Watcher() { thread_.join(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Call with the battle's mutex held.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const std::map<std::string, std::string>& objects() const { return objects_; }

 private:
  void run() {
    for (int life = 0; wait_for_life_after(life);) {
      std::uint64_t from = 0;
      {
        const std::scoped_lock lock(battle_.mutex);
        life = battle_.life;
        from = version_;
      }
      const std::string address = kEvents + "?watch=true&resourceVersion=" + std::to_string(from);
      std::string text;
      connect(api_, 300s)->Get(address, [&](const char* data, std::size_t size) {
        text.append(data, size);
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
          apply(json::parse(text.substr(begin, end - begin)));
        }
        text.erase(0, begin);
        const std::scoped_lock lock(battle_.mutex);
        return !battle_.over;
      });
    }
  }

  bool wait_for_life_after(int life) {
    std::unique_lock lock(battle_.mutex);
    battle_.changed.wait(lock, [&] { return battle_.over || battle_.life > life; });
    return !battle_.over;
  }

  void apply(const json& event) {
    const std::string type = event.at("type");
    if (type == "ERROR") return battle_.fault("a watch says " + event.dump());
    const json& object = event.at("object");
    const std::string name = object.at("metadata").at("name");
    const std::uint64_t version = version_of(object);
    const std::scoped_lock lock(battle_.mutex);
    const auto complain = [&](const char* what) {
      battle_.faults.push_back(std::string(what) + ": " + type + " " + name + " " + std::to_string(version));
    };
    if (version <= version_) complain("a watch repeats itself or goes back");
    const bool known = objects_.count(name) != 0;
    if (known == (type == "ADDED")) complain("a watch has a gap");
    version_ = version;
    if (type == "DELETED") {
      objects_.erase(name);
    } else {
      objects_[name] = object.at("message");
    }
    battle_.changed.notify_all();
  }

  const Api& api_;
  Battle& battle_;
  std::uint64_t version_;
  std::map<std::string, std::string> objects_;
  std::thread thread_;
};

class Storm {
 public:
  Storm() {
    const auto made = loop_.api().create(kEvents, event_object(kMarker, "0"));
    REQUIRE(made.status == 201);
    // The watchers begin before the marker, so their picture is whole.
    const std::uint64_t before = version_of(made.json()) - 1;
    for (int i = 0; i < 3; ++i) writers_.push_back(std::make_unique<Writer>(loop_.api(), battle_, i));
    for (int i = 0; i < 2; ++i) watchers_.push_back(std::make_unique<Watcher>(loop_.api(), battle_, before));
    begin_life();
  }
  ~Storm() {
    {
      const std::scoped_lock lock(battle_.mutex);
      battle_.over = true;
      battle_.changed.notify_all();
    }
    // Their watches end with the server.
    loop_.stop_apiserver();
    watchers_.clear();
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  /// One life of the server: writers write, the server dies after so many writes, a new one comes, all is compared.
  bool live_and_die(int writes) {
    std::vector<std::thread> threads;
    for (auto& writer : writers_) threads.emplace_back([&writer] { writer->run(); });
    {
      std::unique_lock lock(battle_.mutex);
      const int end = battle_.acknowledged + writes;
      battle_.changed.wait_for(lock, 30s, [&] { return battle_.acknowledged >= end || !battle_.faults.empty(); });
    }
    loop_.apiserver().kill_hard();
    for (std::thread& thread : threads) thread.join();
    loop_.start_apiserver();
    begin_life();
    compare();
    return report();
  }

  [[nodiscard]] int acknowledged() const { return battle_.acknowledged; }

 private:
  void begin_life() {
    const std::scoped_lock lock(battle_.mutex);
    ++battle_.life;
    battle_.changed.notify_all();
  }

  void compare() {
    const json list = loop_.api().get(kEvents).json();
    if (version_of(list) < battle_.highest) battle_.fault("the version of the list has gone back");
    std::map<std::string, json> found;
    for (const json& item : list.at("items")) found[item.at("metadata").at("name")] = item;
    for (auto& writer : writers_) writer->check(found);
    const json patch = {{"message", std::to_string(++marks_)}};
    const json marked = loop_.api().merge_patch(kEvents + "/" + kMarker, patch).json();
    const std::uint64_t mark = version_of(marked);
    if (mark <= version_of(list)) battle_.fault("a new version is not higher than the last one");
    std::map<std::string, std::string> expected;
    for (const auto& [name, object] : found) expected[name] = object.at("message");
    expected[kMarker] = std::to_string(marks_);
    std::unique_lock lock(battle_.mutex);
    for (const auto& watcher : watchers_) {
      battle_.changed.wait_for(lock, 30s, [&] { return watcher->version() >= mark || !battle_.faults.empty(); });
      if (watcher->objects() != expected) battle_.faults.push_back("a watcher's picture is not what is there");
    }
  }

  bool report() {
    const std::scoped_lock lock(battle_.mutex);
    for (const std::string& fault : battle_.faults) FAIL_CHECK(fault);
    return battle_.faults.empty();
  }

  CaseDir dir_;
  Loop loop_{dir_, {.nodes = {}}};
  Battle battle_;
  int marks_ = 0;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

/// USBLOOP_STORM_LIVES asks for another number.
int lives() {
  const char* wanted = std::getenv("USBLOOP_STORM_LIVES");
  return wanted == nullptr ? 100 : std::max(1, std::atoi(wanted));
}

}  // namespace

TEST_CASE(
    "killed in a storm of writes, a hundred times: nothing acknowledged is lost, nothing torn, no watcher misled") {
  Storm storm;
  std::mt19937 random(1);
  bool fine = true;
  for (int life = 0; fine && life < lives(); ++life) {
    CAPTURE(life);
    fine = storm.live_and_die(1 + static_cast<int>(random() % 40));
  }
  MESSAGE("acknowledged writes: ", storm.acknowledged());
}
