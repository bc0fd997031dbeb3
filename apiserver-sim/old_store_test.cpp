// A state database as an older build left it: without a schema version, and with VMIs that carry the finalizer's old
// name.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "apiserver-sim/kinds/vmi.h"
#include "apiserver-sim/running_server.h"

using namespace usbloop::apiserver;
using namespace usbloop::apiserver::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// The tables of the builds until commit d31ad7c.
constexpr const char* kOldTables = R"(
  CREATE TABLE objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
  CREATE TABLE events (
    version INTEGER PRIMARY KEY, type INTEGER NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL,
    name TEXT NOT NULL, text TEXT NOT NULL, previous_version INTEGER NOT NULL, previous TEXT NOT NULL);
  CREATE TABLE probes (id INTEGER PRIMARY KEY, count INTEGER NOT NULL);
)";

/// A VMI as those builds stored it.
std::string old_vmi(const std::string& name, const std::string& phase, std::uint64_t version) {
  json object = {{"apiVersion", "kubevirt.io/v1"},
                 {"kind", "VirtualMachineInstance"},
                 {"metadata",
                  {{"name", name},
                   {"namespace", "default"},
                   {"uid", "00000000-0000-4000-8000-00000000000" + std::to_string(version)},
                   {"resourceVersion", std::to_string(version)},
                   {"generation", 1},
                   {"creationTimestamp", "2026-11-01T10:00:00Z"},
                   {"finalizers", {kOldVmiFinalizer}}}},
                 {"spec", {{"architecture", "amd64"}, {"domain", {{"devices", json::object()}}}}},
                 {"status", {{"phase", phase}, {"runtimeUser", 107}}}};
  if (phase != "Pending") object["status"]["nodeName"] = "node-a";
  return object.dump();
}

void write_old_store(const std::filesystem::path& directory) {
  std::filesystem::create_directory(directory);
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((directory / "state.db").c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, kOldTables, nullptr, nullptr, nullptr) == SQLITE_OK);
  std::uint64_t version = 0;
  for (const auto& [name, phase] :
       {std::pair{"waiting", "Pending"}, std::pair{"done", "Succeeded"}, std::pair{"broken", "Failed"}}) {
    const std::string text = old_vmi(name, phase, ++version);
    const std::string number = std::to_string(version);
    const std::string key = std::string("'virtualmachineinstances.kubevirt.io', 'default', '") + name + "', ";
    const std::string script = "INSERT INTO objects VALUES (" + key + number + ", '" + text + "');" +
                               "INSERT INTO events VALUES (" + number + ", 0, " + key + "'" + text + "', 0, '');";
    REQUIRE(sqlite3_exec(database, script.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  sqlite3_close(database);
}

}  // namespace

TEST_CASE("VMIs that an older build has stored can be deleted: their finalizer had another name") {
  const TemporaryDirectory dir;
  write_old_store(dir / "data");
  const auto server = start(dir);
  const auto http = client(dir);
  for (const char* name : {"waiting", "done", "broken"}) {
    CAPTURE(name);
    const std::string path = std::string(kVmis) + "/" + name;
    const auto stored = http->Get(path);
    REQUIRE(stored);
    REQUIRE_MESSAGE(stored->status == 200, stored->body);
    CHECK(json::parse(stored->body)["metadata"]["finalizers"] == json::array({kOldVmiFinalizer}));
    REQUIRE(http->Delete(path)->status == 200);
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (http->Get(path)->status != 404 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(10ms);
    }
    CHECK(http->Get(path)->status == 404);
  }
}
