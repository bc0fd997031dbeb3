// A limit on the address space (ulimit -v, or a container's memory). A server that does not fit says so and ends; a
// request that does not fit is refused.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/test_text.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;

namespace {

constexpr rlim_t kMiB = 1024 * 1024;

/// Of the address space that the process has now, in bytes.
rlim_t address_space(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  rlim_t pages = 0;
  file >> pages;
  return pages * 4096;
}

void limit_address_space(pid_t pid, rlim_t bytes) {
  rlimit limit{};
  REQUIRE(::prlimit(pid, RLIMIT_AS, nullptr, &limit) == 0);
  limit.rlim_cur = bytes;
  REQUIRE(::prlimit(pid, RLIMIT_AS, &limit, nullptr) == 0);
}

}  // namespace

TEST_CASE("a server that gets too little address space to start says so, and never ends by a signal") {
  const CaseDir dir;
  bool started = false;
  bool refused = false;
  for (int mebibytes = 40; !started && mebibytes < 4000; mebibytes += mebibytes < 400 ? 24 : 200) {
    CAPTURE(mebibytes);
    const std::string name = "apiserver-" + std::to_string(mebibytes);
    Process server({.name = name,
                    .argv = {"sh", "-c", "ulimit -v " + std::to_string(mebibytes * 1024) + "; exec \"$@\"", "sh",
                             apiserver_sim(), "--data-dir", dir.path() / name},
                    .log_dir = dir.path()});
    CHECK(holds_within(60s, [&] { return !server.running() || contains(server.out(), "ready"); }));
    if (server.running()) {
      started = true;
      server.signal(SIGTERM);
      CHECK(server.wait_exit(20s).code == 0);
      continue;
    }
    const ExitStatus status = server.wait_exit(1s);
    CHECK_MESSAGE(status.signal == 0, status.text() << ": " << server.err());
    if (contains(server.err(), "while loading shared libraries")) continue;  // not even the program fits
    refused = true;
    CHECK(status.code == 1);
    CHECK_MESSAGE(contains(server.err(), "cannot start"), server.err());
  }
  CHECK(started);
  CHECK(refused);
}

TEST_CASE("a server whose address space is used up refuses requests, lives, and serves when there is room again") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}, .apiserver_log_level = "warn"});
  const Api& api = loop.api();
  const json big{{"metadata", {{"name", "big"}, {"annotations", {{"text", std::string(200'000, 'x')}}}}}};
  for (int i = 0; i < 20; ++i) {
    json object = big;
    object["metadata"]["name"] = "big-" + std::to_string(i);
    REQUIRE(api.create("/api/v1/namespaces", object).status == 201);
  }
  const pid_t pid = loop.apiserver().pid();
  for (const rlim_t room : {rlim_t{0}, kMiB / 2, 4 * kMiB}) {
    CAPTURE(room);
    limit_address_space(pid, address_space(pid) + room);
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int client = 0; client < 8; ++client) {
      clients.emplace_back([&, client] {
        for (int i = 0; i < 6; ++i) {
          try {
            if (client % 2 == 0) {
              static_cast<void>(api.get("/api/v1/namespaces"));
            } else {
              json object = big;
              object["metadata"]["name"] = "more-" + std::to_string(client) + "-" + std::to_string(i);
              static_cast<void>(api.create("/api/v1/namespaces", object));
            }
            ++answered;
          } catch (const std::exception&) {
            continue;  // its connection was ended
          }
        }
      });
    }
    for (std::thread& client : clients) client.join();
    MESSAGE(answered.load() << " of 48 were answered");
    REQUIRE(loop.apiserver().running());
    limit_address_space(pid, RLIM_INFINITY);
    CHECK(holds_within(20s, [&] {
      try {
        return api.get("/api/v1/namespaces/big-1").status == 200;
      } catch (const Failure&) {
        return false;
      }
    }));
  }
}
