// What Tab offers of a cluster: the real client asks the real API server.
#include <doctest/doctest.h>

#include "e2e/harness/client.h"
#include "e2e/harness/fake_node.h"
#include "e2e/harness/loop.h"

using namespace usbloop::e2e;

TEST_CASE("Tab offers the VMIs with their phases, in the namespace that is named, and the namespaces") {
  const CaseDir dir;
  Loop loop(dir, {.nodes = {}});
  FakeNode node(loop);
  node.add_running_vmi("demo");
  node.add_running_vmi("other");
  int runs = 0;
  const auto answer_to = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--kubeconfig", loop.kubeconfig()});
    const ClientEnd end = run_client(dir, "tab-" + std::to_string(++runs), std::move(words));
    CHECK_MESSAGE(end.status.code == 0, end.err);
    CHECK(end.err.empty());
    return end.out;
  };
  CHECK(answer_to({"1-3", ""}) == "demo\tRunning\nother\tRunning\n:4\n");
  CHECK(answer_to({"1-3", "o"}) == "other\tRunning\n:4\n");
  CHECK(answer_to({"--no-launch", "d"}) == "demo\tRunning\n:4\n");
  CHECK(answer_to({"-n", "kube-system", "1-3", ""}) == ":4\n");
  CHECK(answer_to({"-n", "defa"}) == "default\tActive\n:4\n");
  CHECK(answer_to({"--namespace=defa"}) == "--namespace=default\tActive\n:4\n");
  CHECK(answer_to({"--token", "wrong", "1-3", ""}) == ":4\n");  // refused: nothing is offered, and nothing said
  loop.stop_apiserver();
  CHECK(answer_to({"1-3", ""}) == ":4\n");
  loop.start_apiserver();
}
