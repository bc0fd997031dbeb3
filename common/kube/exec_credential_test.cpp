#include <chrono>

#include "common/kube/kubeconfig_test_support.h"
#include "common/kube/run_command.h"

using namespace usbloop;
using namespace usbloop::kube;
using namespace usbloop::kube::testing;

namespace {

constexpr const char* kVersion = "client.authentication.k8s.io/v1";

/// A kubeconfig whose user runs `script` (a shell program) as its credential plugin.
Result<ClusterAccess> run_plugin(const std::string& script, const std::string& more = "",
                                 const std::string& version = kVersion) {
  const Workspace workspace;
  const auto plugin = workspace.write("plugin", "#!/bin/sh\n" + script + "\n");
  std::filesystem::permissions(plugin, std::filesystem::perms::owner_all);
  return load_kubeconfig(
      {workspace.write("config", one_context("exec: {apiVersion: " + version +
                                             ", command: ./plugin, interactiveMode: Never" + more + "}"))},
      "");
}

std::string credential(const std::string& status) {
  return R"(echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":)" + status + "}'";
}

}  // namespace

TEST_CASE("a plugin's token is used") {
  const auto access = run_plugin(credential(R"({"token":"fresh"})"));
  REQUIRE_MESSAGE(access, access.error().message());
  CHECK(access->authorization() == "Bearer fresh");
}

TEST_CASE("a plugin's client certificate is used") {
  const auto access = run_plugin(credential(R"({"clientCertificateData":"C","clientKeyData":"K"})"));
  REQUIRE(access);
  CHECK(access->client_cert_pem == "C");
  CHECK(access->client_key_pem == "K");
}

TEST_CASE("a plugin gets its arguments, its variables and the cluster") {
  const auto access = run_plugin(
      R"(case "$KUBERNETES_EXEC_INFO" in *127.0.0.1:6443*) cluster=seen ;; esac
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s-%s-%s-%s"}}' "$1" "$2" "$WHO" "$cluster")",
      ", args: [a, 'b c'], env: [{name: WHO, value: me}], provideClusterInfo: true");
  REQUIRE_MESSAGE(access, access.error().message());
  CHECK(access->token == "a-b c-me-seen");
}

TEST_CASE("each failure of a plugin is told") {
  const auto cause = [](const std::string& script, const std::string& more = "") {
    const auto access = run_plugin(script, more);
    REQUIRE(!access);
    return access.error().cause;
  };
  CHECK(contains(cause("exit 3"), "ended with status 3"));
  CHECK(contains(cause("kill -9 $$"), "ended with status 137"));
  CHECK(contains(cause("echo hello"), "did not print an ExecCredential"));
  CHECK(contains(cause("echo '{}'"), "another kind or apiVersion"));
  CHECK(contains(cause(credential("5")), "printed no status"));
  CHECK(contains(cause(credential("{}")), "neither a token nor a certificate"));
  CHECK(contains(cause(credential(R"({"clientKeyData":"K"})")), "only one of certificate and key"));
  CHECK(contains(cause(credential(R"({"token":"a\u000ab"})")), "broken token"));
  CHECK(contains(cause("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), "too much"));
  CHECK(contains(cause("true", ", args: [{}]"), "exec.args: has an entry that is not text"));
  CHECK(contains(cause("true", ", env: [{name: 'a=b'}]"), "is not a variable's name"));
}

TEST_CASE("a plugin that is not installed shows its install hint") {
  const Workspace workspace;
  const auto access = load_kubeconfig(
      {workspace.write("config", one_context("exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: "
                                             "usbloop-no-such-plugin, installHint: get it there}"))},
      "");
  REQUIRE(!access);
  CHECK(contains(access.error().cause, "exec.command: cannot run usbloop-no-such-plugin"));
  CHECK(access.error().hint == "get it there");
}

TEST_CASE("an unknown apiVersion of the plugin is refused") {
  const auto access = run_plugin("true", "", "client.authentication.k8s.io/v1alpha1");
  REQUIRE(!access);
  CHECK(contains(access.error().cause, "exec.apiVersion: \"client.authentication.k8s.io/v1alpha1\" is not supported"));
}

TEST_CASE("a command that does not end in time is killed with what it started") {
  Command command{{"sh", "-c", "sleep 100 & wait"}, {}};
  command.timeout = std::chrono::milliseconds(100);
  const auto begin = std::chrono::steady_clock::now();
  const auto output = run_command(command);
  REQUIRE(!output);
  CHECK(output.error().kind == ErrorKind::timeout);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}
