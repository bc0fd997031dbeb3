// The Kubernetes client for Node.js against the server: what dashboards and operators in JavaScript are made with.
#include <doctest/doctest.h>

#include <filesystem>

#include "e2e/harness/image.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = USBLOOP_NODE_CLIENT;  ///< the folder with client.mjs

/// Why the client cannot run; empty when it can.
std::string missing_for_node(const fs::path& packages) {
  const fs::path lock = packages / "package-lock.json";
  if (!on_path("node")) return "node is not on PATH (scripts/install-deps --test)";
  if (!fs::exists(lock)) return "no " + lock.string() + " (scripts/lib/fetch_node_client)";
  if (read_file(lock) != read_file(kSource / "package-lock.json")) {
    return lock.string() + " is another one than e2e/node's (scripts/lib/fetch_node_client)";
  }
  return {};
}

}  // namespace

TEST_CASE("the Node.js client makes, lists, watches, patches and deletes an object of every kind") {
  const fs::path packages = guest_dir().parent_path() / "node-client";
  if (const std::string missing = missing_for_node(packages); !missing.empty()) {
    skip_case(missing);
    return;
  }
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  // Node.js looks for packages beside the script.
  const fs::path work = dir.subdir("node");
  fs::copy_file(kSource / "client.mjs", work / "client.mjs");
  fs::create_symlink(packages / "node_modules", work / "node_modules");
  Process client({.name = "client",
                  .argv = {"node", (work / "client.mjs").string(), USBLOOP_CLIENT_OBJECTS},
                  .log_dir = work,
                  .env = {{"KUBECONFIG", loop.kubeconfig().string()}, {"HOME", work.string()}}});
  const ExitStatus ended = client.wait_exit(150s);
  CHECK_MESSAGE(ended.code == 0, client.output());
  CHECK(client.out().find("node client: done") != std::string::npos);
}
