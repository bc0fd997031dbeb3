#include "kube-sim/store/watch_hub.h"

#include <doctest/doctest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

using namespace usbloop::apiserver;

namespace {

Event event(const std::string& resource, std::uint64_t version) {
  return {EventType::modified, make_object({resource, "", "x"}, version, nlohmann::json::object(), {}), nullptr};
}

std::vector<std::uint64_t> versions(const WatchHub::Batch& batch) {
  std::vector<std::uint64_t> list;
  for (const Event& entry : batch.events) list.push_back(entry.object->version);
  return list;
}

using Versions = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a cursor gets what came after it, of its resource only") {
  WatchHub hub(10);
  for (std::uint64_t version = 1; version <= 6; ++version)
    hub.publish(event(version % 2 == 0 ? "even" : "odd", version));
  CHECK(versions(hub.read("even", 0, 10)) == Versions{2, 4, 6});
  CHECK(versions(hub.read("even", 2, 10)) == Versions{4, 6});
  CHECK(versions(hub.read("even", 3, 10)) == Versions{4, 6});
  CHECK(hub.read("even", 6, 10).events.empty());
  CHECK(hub.read("odd", 5, 10).current == 6);
  CHECK(hub.read("none", 0, 10).events.empty());
}

TEST_CASE("a batch that is cut short says up to where it goes") {
  WatchHub hub(10);
  for (std::uint64_t version = 1; version <= 6; ++version) hub.publish(event("a", version));
  const auto batch = hub.read("a", 0, 4);
  CHECK(versions(batch) == Versions{1, 2, 3, 4});
  CHECK(batch.current == 4);
}

TEST_CASE("a cursor before the history is expired, one at its start is not") {
  WatchHub hub(3);
  for (std::uint64_t version = 1; version <= 5; ++version) hub.publish(event("a", version));
  CHECK(hub.read("a", 1, 10).expired);
  CHECK_FALSE(hub.read("a", 2, 10).expired);
  CHECK(versions(hub.read("a", 2, 10)) == Versions{3, 4, 5});
}

TEST_CASE("another resource's writes do not push a history out") {
  WatchHub hub(3);
  hub.publish(event("quiet", 1));
  for (std::uint64_t version = 2; version <= 100; ++version) hub.publish(event("busy", version));
  CHECK(versions(hub.read("quiet", 0, 10)) == Versions{1});
}

TEST_CASE("after begin_at every resource's history begins there") {
  WatchHub hub(3);
  hub.begin_at(50);
  CHECK(hub.read("a", 49, 10).expired);
  CHECK_FALSE(hub.read("a", 50, 10).expired);
  hub.publish(event("a", 51));
  CHECK(hub.read("a", 49, 10).expired);
  CHECK(versions(hub.read("a", 50, 10)) == Versions{51});
}

TEST_CASE("subscribers are woken until their subscription ends") {
  WatchHub hub(3);
  int woken = 0;
  {
    const auto subscription = hub.subscribe("a", [&] { ++woken; });
    hub.publish(event("a", 1));
    hub.publish(event("b", 2));
    CHECK(woken == 1);
  }
  hub.publish(event("a", 3));
  CHECK(woken == 1);
}

TEST_CASE("readers that follow while a writer writes see every event once") {
  constexpr std::uint64_t kLast = 5000;
  WatchHub hub(kLast);
  std::atomic<bool> fine = true;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::uint64_t cursor = 0;
      while (cursor < kLast) {
        const auto batch = hub.read("a", cursor, 64);
        for (const Event& entry : batch.events) {
          if (entry.object->version != cursor + 1) fine = false;
          cursor = entry.object->version;
        }
        std::this_thread::yield();
      }
    });
  }
  for (std::uint64_t version = 1; version <= kLast; ++version) hub.publish(event("a", version));
  for (std::thread& reader : readers) reader.join();
  CHECK(fine);
}
