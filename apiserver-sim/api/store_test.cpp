#include "kube-sim/store/store.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "apiserver-sim/test_support.h"

using namespace usbloop::apiserver;
using nlohmann::json;
using test::TemporaryDirectory;
using test::World;

namespace {

Change put(json object) { return {Change::Kind::put, std::move(object)}; }

tl::expected<ObjectPtr, usbloop::kube::Status> write(Store& store, const Key& key, const json& object) {
  return store.transact(key, [&](const ObjectPtr&) { return put(object); });
}

json thing(const std::string& name, int value) { return {{"metadata", {{"name", name}}}, {"value", value}}; }

std::unique_ptr<Store> open_store(const std::string& path, WatchHub& hub, std::size_t history = 100) {
  auto journal = open_sqlite_journal(path, history);
  REQUIRE_MESSAGE(journal.has_value(), (journal ? "" : journal.error().message()));
  auto store = Store::open(std::move(*journal), {}, hub);
  REQUIRE(store.has_value());
  return std::move(*store);
}

}  // namespace

TEST_CASE("each write gets the next version, in the object and in the events") {
  World world;
  const auto first = write(*world.store, {"things", "ns", "a"}, thing("a", 1));
  const auto second = write(*world.store, {"things", "ns", "a"}, thing("a", 2));
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*second)->version == (*first)->version + 1);
  CHECK((*second)->parse()["metadata"]["resourceVersion"] == std::to_string((*second)->version));
  const auto batch = world.hub.read("things", (*first)->version - 1, 10);
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events[0].type == EventType::added);
  CHECK(batch.events[1].type == EventType::modified);
  CHECK(batch.events[1].previous == *first);
}

TEST_CASE("a removal has a version of its own and the last state") {
  World world;
  const Key key{"things", "", "a"};
  const auto made = write(*world.store, key, thing("a", 7));
  const auto removed = world.store->transact(key, [](const ObjectPtr& current) {
    return Change{Change::Kind::remove, current->parse()};
  });
  REQUIRE(removed);
  CHECK((*removed)->version == (*made)->version + 1);
  CHECK((*removed)->parse()["value"] == 7);
  CHECK(world.store->get(key) == nullptr);
}

TEST_CASE("what is kept or refused makes no version and no event") {
  World world;
  const Key key{"things", "", "a"};
  write(*world.store, key, thing("a", 1));
  const auto before = world.store->version();
  CHECK(world.store->transact(key, [](const ObjectPtr&) { return Change{}; }).has_value());
  const auto refused = world.store->transact(key, [](const ObjectPtr&) -> tl::expected<Change, usbloop::kube::Status> {
    return tl::unexpected(usbloop::kube::bad_request("no"));
  });
  CHECK_FALSE(refused.has_value());
  CHECK(world.store->version() == before);
}

TEST_CASE("lists are by namespace and name and take one namespace or all") {
  World world;
  for (const char* name : {"c", "a", "b"}) {
    write(*world.store, {"things", "two", name}, thing(name, 1));
    write(*world.store, {"things", "one", name}, thing(name, 1));
  }
  write(*world.store, {"others", "one", "x"}, thing("x", 1));
  CHECK(world.store->list("things", "").objects.size() == 6);
  const auto one = world.store->list("things", "one");
  REQUIRE(one.objects.size() == 3);
  CHECK(one.objects[0]->key.name == "a");
  CHECK(one.objects[2]->key.name == "c");
  CHECK(one.version == world.store->version());
  CHECK(world.store->list("things", "on").objects.empty());
}

TEST_CASE("a store that is opened again has the objects, the version and the events") {
  const TemporaryDirectory dir;
  std::uint64_t last = 0;
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    for (int i = 0; i < 10; ++i) write(*store, {"things", "ns", "a" + std::to_string(i)}, thing("a", i));
    store->transact({"things", "ns", "a9"}, [](const ObjectPtr& current) {
      return Change{Change::Kind::remove, current->parse()};
    });
    last = store->version();
  }
  WatchHub hub(100);
  const auto store = open_store(dir / "state.db", hub);
  CHECK(store->version() == last);  // although the newest object is gone
  CHECK(store->list("things", "ns").objects.size() == 9);
  CHECK(store->get({"things", "ns", "a3"})->parse()["value"] == 3);
  const auto batch = hub.read("things", 9, 10);
  CHECK_FALSE(batch.expired);
  REQUIRE(batch.events.size() == 2);
  CHECK(batch.events[1].type == EventType::deleted);
  CHECK(batch.events[1].previous->parse()["value"] == 9);
}

TEST_CASE("a store that is opened again holds each version once, as it was") {
  const TemporaryDirectory dir;
  const Key key{"things", "ns", "a"};
  std::string text;
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    for (int i = 0; i < 3; ++i) write(*store, key, thing("a", i));
    text = store->get(key)->text;
  }
  WatchHub hub(100);
  const auto store = open_store(dir / "state.db", hub);
  const auto events = hub.read("things", 0, 10).events;
  REQUIRE(events.size() == 3);
  CHECK(events[1].previous == events[0].object);
  CHECK(events[2].previous == events[1].object);
  CHECK(events[2].object == store->get(key));
  CHECK(events[0].object->parse()["value"] == 0);
  CHECK(store->get(key)->text == text);
}

TEST_CASE("the stored history is bounded") {
  const TemporaryDirectory dir;
  {
    WatchHub hub(1000);
    const auto store = open_store(dir / "state.db", hub, 50);
    for (int i = 0; i < 400; ++i) write(*store, {"things", "", "a"}, thing("a", i));
  }
  WatchHub hub(1000);
  const auto store = open_store(dir / "state.db", hub, 50);
  CHECK(hub.read("things", 300, 1000).expired);
  CHECK_FALSE(hub.read("things", 360, 1000).expired);
}

TEST_CASE("the database can be read by its owner only, and by one server at a time") {
  const TemporaryDirectory dir;
  WatchHub hub(10);
  const auto store = open_store(dir / "state.db", hub);
  struct stat info {};
  REQUIRE(::stat((dir / "state.db").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  const auto second = open_sqlite_journal(dir / "state.db", 10);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message().find("locked") != std::string::npos);
  CHECK(second.error().hint.find("Move the file away") == std::string::npos);
}

TEST_CASE("a file that is no database is a clear error") {
  const TemporaryDirectory dir;
  std::ofstream(dir / "state.db") << std::string(5000, 'x');
  const auto journal = open_sqlite_journal(dir / "state.db", 10);
  REQUIRE_FALSE(journal.has_value());
  CHECK(journal.error().message().find(dir / "state.db") != std::string::npos);
  CHECK_FALSE(journal.error().hint.empty());
}

TEST_CASE("an object that cannot be read is named, and set aside when a person says so, without a loss") {
  const TemporaryDirectory dir;
  std::uint64_t last = 0;
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    for (const char* name : {"a", "b", "c"}) write(*store, {"things", "ns", name}, thing(name, 1));
    last = store->version();
  }
  const auto spoil = [&](const std::string& text) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open((dir / "state.db").c_str(), &database) == SQLITE_OK);
    CHECK(sqlite3_exec(database, ("UPDATE objects SET text = '" + text + "' WHERE name = 'b'").c_str(), nullptr,
                       nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
  };
  const auto open = [&](WatchHub& hub, Store::Unreadable unreadable) {
    return Store::open(std::move(*open_sqlite_journal(dir / "state.db", 100)), {}, hub, unreadable);
  };
  for (const char* text : {"{\"metadata\":", "", "[1]", "{\"metadata\":{\"uid\":7}}", "{\"a\":\"\xff\"}"}) {
    CAPTURE(text);
    spoil(text);
    WatchHub hub(100);
    const auto refused = open(hub, Store::Unreadable::refuse);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message().find("things ns/b cannot be read") != std::string::npos);
    CHECK(refused.error().hint.find("--set-aside-unreadable") != std::string::npos);
  }
  spoil("{\"lost\":");
  {
    WatchHub hub(100);
    const auto store = open(hub, Store::Unreadable::set_aside);
    REQUIRE(store.has_value());
    CHECK((*store)->get({"things", "ns", "b"}) == nullptr);
    CHECK((*store)->list("things", "ns").objects.size() == 2);
    CHECK((*store)->version() == last);
    CHECK(hub.read("things", last - 1, 10).expired);  // who watched lists again
    REQUIRE(write(**store, {"things", "ns", "b"}, thing("b", 2)).has_value());
  }
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    CHECK(store->version() == last + 1);
    CHECK(store->get({"things", "ns", "b"})->parse()["value"] == 2);
    CHECK(hub.read("things", last - 2, 10).expired);
  }
  sqlite3* database = nullptr;
  std::string kept;
  REQUIRE(sqlite3_open((dir / "state.db").c_str(), &database) == SQLITE_OK);
  const auto collect = [](void* into, int, char** values, char**) {
    *static_cast<std::string*>(into) += values[0];
    return 0;
  };
  CHECK(sqlite3_exec(database, "SELECT name || '=' || text FROM set_aside", collect, &kept, nullptr) == SQLITE_OK);
  sqlite3_close(database);
  CHECK(kept == "b={\"lost\":");
}

TEST_CASE("a write of the history that cannot be read shortens the history only") {
  const TemporaryDirectory dir;
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    for (int i = 0; i < 5; ++i) write(*store, {"things", "ns", "a"}, thing("a", i));
  }
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((dir / "state.db").c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, "UPDATE events SET text = '{' WHERE version = 3", nullptr, nullptr, nullptr) ==
        SQLITE_OK);
  sqlite3_close(database);
  WatchHub hub(100);
  const auto store = open_store(dir / "state.db", hub);
  CHECK(store->version() == 5);
  CHECK(store->get({"things", "ns", "a"})->parse()["value"] == 4);
  CHECK(hub.read("things", 2, 10).expired);
  CHECK(hub.read("things", 3, 10).events.size() == 2);
}

TEST_CASE("a database of a newer version is refused and left alone, one without a version is taken over") {
  const TemporaryDirectory dir;
  const auto set_version = [&](int version) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open((dir / "state.db").c_str(), &database) == SQLITE_OK);
    const std::string change = "PRAGMA user_version = " + std::to_string(version);
    CHECK(sqlite3_exec(database, change.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
  };
  const auto first_bytes = [&] {
    std::ifstream file(dir / "state.db", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    write(*store, {"things", "ns", "a"}, thing("a", 1));
  }
  set_version(2);
  const std::string before = first_bytes();
  const auto refused = open_sqlite_journal(dir / "state.db", 10);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message().find("newer version") != std::string::npos);
  CHECK(refused.error().message().find("schema 2, this one knows 1") != std::string::npos);
  CHECK(first_bytes() == before);
  set_version(0);
  {
    WatchHub hub(100);
    const auto store = open_store(dir / "state.db", hub);
    CHECK(store->get({"things", "ns", "a"})->parse()["value"] == 1);
  }
  REQUIRE(first_bytes().size() > 64);
  CHECK(first_bytes().substr(60, 4) == std::string("\0\0\0\1", 4));  // the file's format, 1.3.11: the user version
}

TEST_CASE("every acknowledged write survives the death of the process") {
  const TemporaryDirectory dir;
  int acknowledgements[2];
  REQUIRE(::pipe(acknowledgements) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    WatchHub hub(100);
    auto journal = open_sqlite_journal(dir / "state.db", 100);
    auto store = Store::open(std::move(*journal), {}, hub);
    for (int i = 0;; ++i) {
      const bool written = write(**store, {"things", "", "t" + std::to_string(i)}, thing("t", i)).has_value();
      if (!written || ::write(acknowledgements[1], &i, sizeof i) != sizeof i) ::_exit(1);
    }
  }
  ::close(acknowledgements[1]);
  int last = -1;
  while (last < 200 && ::read(acknowledgements[0], &last, sizeof last) == sizeof last) {
  }
  ::kill(child, SIGKILL);
  while (::read(acknowledgements[0], &last, sizeof last) == sizeof last) {
  }
  ::waitpid(child, nullptr, 0);
  ::close(acknowledgements[0]);
  CHECK(last >= 200);
  WatchHub hub(100);
  const auto store = open_store(dir / "state.db", hub);
  for (int i = 0; i <= last; ++i) {
    const ObjectPtr object = store->get({"things", "", "t" + std::to_string(i)});
    REQUIRE(object);
    CHECK(object->parse()["value"] == i);
  }
  CHECK(store->version() > static_cast<std::uint64_t>(last));
}

TEST_CASE("writers on several threads lose no update") {
  World world;
  const Key key{"things", "", "counter"};
  write(*world.store, key, thing("counter", 0));
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int round = 0; round < 250; ++round) {
        world.store->transact(key, [](const ObjectPtr& current) {
          json next = current->parse();
          next["value"] = next["value"].get<int>() + 1;
          return put(next);
        });
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(world.store->get(key)->parse()["value"] == 1000);
}
