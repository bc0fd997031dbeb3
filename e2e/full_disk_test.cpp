// A disk without room: writes are refused in words, reads go on, and writes go on when there is room again.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "e2e/harness/loop.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;

namespace {

const std::string kNamespaces = "/api/v1/namespaces";

json namespace_object(const std::string& name) { return {{"metadata", {{"name", name}}}}; }

/// No file of the process grows beyond `bytes`: to the process that is a full disk.
void limit_files(pid_t pid, rlim_t bytes) {
  rlimit limit{};
  REQUIRE(::prlimit(pid, RLIMIT_FSIZE, nullptr, &limit) == 0);
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  REQUIRE(::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

}  // namespace

TEST_CASE("a full disk refuses writes, ends nothing, and is forgotten when there is room again") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  const Api& api = loop.api();
  REQUIRE(api.create(kNamespaces, namespace_object("before")).status == 201);

  limit_files(loop.apiserver().pid(), 4096);
  const ApiAnswer refused = api.create(kNamespaces, namespace_object("meanwhile"));
  CHECK(refused.status == 500);
  CHECK(refused.json().at("reason") == "InternalError");
  CHECK(api.get(kNamespaces + "/meanwhile").status == 404);
  CHECK(api.get(kNamespaces + "/before").status == 200);
  const ApiAnswer sick = api.get("/readyz");
  CHECK(sick.status == 500);
  CHECK(sick.body.find("[-]etcd failed: reason withheld\n") != std::string::npos);

  limit_files(loop.apiserver().pid(), RLIM_INFINITY);
  CHECK(api.get("/readyz").status == 200);
  CHECK(api.create(kNamespaces, namespace_object("after")).status == 201);
  loop.apiserver().kill_hard();
  loop.start_apiserver();
  for (const char* name : {"/before", "/after"}) CHECK(api.get(kNamespaces + name).status == 200);
  CHECK(api.get(kNamespaces + "/meanwhile").status == 404);
}
