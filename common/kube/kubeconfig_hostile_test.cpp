#include <algorithm>
#include <random>

#include "common/kube/kubeconfig.h"
#include "common/kube/kubeconfig_test_support.h"

using namespace usbloop;
using namespace usbloop::kube;
using namespace usbloop::kube::testing;

namespace {

std::string cause_of(const std::string& text) {
  const Workspace workspace;
  const auto access = load_kubeconfig({workspace.write("config", text)}, "main");
  REQUIRE(!access);
  CHECK(access.error().kind == ErrorKind::invalid);
  return access.error().cause;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t index = 0; index < count; ++index) all += text;
  return all;
}

}  // namespace

TEST_CASE("a bomb of aliases is refused before it is expanded") {
  std::string text = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name < 'z'; ++name) {
    const std::string last(1, static_cast<char>(name - 1));
    text += std::string(1, name) + ": &" + name + " [*" + repeated(last + ",*", 8) + last + "]\n";
  }
  CHECK(contains(cause_of(text), "aliases are not accepted"));
}

TEST_CASE("deep nesting in either style is refused") {
  CHECK(contains(cause_of("contexts: " + std::string(100'000, '[')), "nested too deeply"));
  CHECK(contains(cause_of("a: " + repeated("{a: ", 100'000)), "nested too deeply"));
  std::string block;
  for (std::size_t depth = 0; depth < 200; ++depth) block += std::string(depth, ' ') + "a:\n";
  CHECK(contains(cause_of(block), "nested too deeply"));
}

TEST_CASE("too many values and too large a file are refused") {
  CHECK(contains(cause_of("a: [" + repeated("1,", 250'000) + "1]"), "too many values"));
  CHECK(contains(cause_of("#" + std::string(5 * 1024 * 1024, 'x')), "larger than"));
}

TEST_CASE("broken YAML is refused with line and column") {
  CHECK(contains(cause_of("contexts: [a"), "not valid YAML: line"));
  CHECK(contains(cause_of("a: b: c"), "not valid YAML: line 1"));
}

TEST_CASE("wrong types at each level name the place") {
  CHECK(cause_of("just text") == "must be a mapping, but is a plain value");
  CHECK(cause_of("[]") == "must be a mapping, but is a list");
  CHECK(cause_of("contexts: 5") == "contexts: must be a list, but is a plain value");
  CHECK(cause_of("contexts: {main: x}") == "contexts: must be a list, but is a mapping");
  CHECK(cause_of("contexts: [x]") == "contexts[0]: must be a mapping, but is a plain value");
  CHECK(cause_of("contexts: [{name: {}}]") == "contexts[0].name: must be text, but is a mapping");
  CHECK(cause_of("contexts: [{name: main, context: []}]") == "contexts[0].context: must be a mapping, but is a list");
  CHECK(contains(cause_of("contexts: [{name: main, context: {cluster: [], user: x}}]"), "cluster: must be text"));
}

TEST_CASE("a valid file cut or bent anywhere never crashes the reader") {
  const std::string good = one_context("token: t", "server: 'https://127.0.0.1:6443', insecure-skip-tls-verify: true");
  const Workspace workspace;
  std::mt19937 random(20'240'501);  // fixed, so that a failure replays
  for (std::size_t length = 0; length < good.size(); ++length) {
    std::string text = good.substr(0, length);
    (void)load_kubeconfig({workspace.write("config", text)}, "main");
    text = good;
    for (int change = 0; change < 3; ++change) text[random() % text.size()] = static_cast<char>(random() % 256);
    (void)load_kubeconfig({workspace.write("config", text)}, "main");
  }
  REQUIRE(load_kubeconfig({workspace.write("config", good)}, "main"));
}
