// The Kubernetes client for Python against the loop: its models are stricter than kubectl about what an object has.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "e2e/harness/loop.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;

namespace {

constexpr const char* kPython = "/usr/bin/python3";  // the one that has Debian's modules

Process python(const CaseDir& dir, const std::string& name, std::vector<std::string> arguments,
               std::map<std::string, std::string> env = {}) {
  arguments.insert(arguments.begin(), kPython);
  return Process({.name = name, .argv = std::move(arguments), .log_dir = dir.subdir("python"), .env = std::move(env)});
}

}  // namespace

TEST_CASE("the Python client makes and deletes an object of every kind, and watches and talks to a VMI that runs") {
  const CaseDir dir;
  if (!std::filesystem::exists(kPython) ||
      python(dir, "modules", {"-c", "import kubernetes, websocket"}).wait_exit(60s).code != 0) {
    skip_case("no modules kubernetes and websocket for /usr/bin/python3 (Debian: python3-kubernetes)");
    return;
  }
  Loop loop(dir);
  Process client =
      python(dir, "client", {USBLOOP_PYTHON_CLIENT, vmi_manifest("from-python").dump(), USBLOOP_CLIENT_OBJECTS},
             {{"KUBECONFIG", loop.kubeconfig().string()},
              {"HOME", dir.subdir("home").string()},
              {"PYTHONDONTWRITEBYTECODE", "1"}});
  const ExitStatus ended = client.wait_exit(300s);
  CHECK_MESSAGE(ended.code == 0, client.output());
  CHECK(client.out().find("python client: done") != std::string::npos);
}
