#include <doctest/doctest.h>

#include "common/kube/kubeconfig_test_support.h"

// What the command line says over the kubeconfig, as kubectl's flags do.

using namespace usbloop;
using namespace usbloop::kube;
using kube::testing::contains;
using kube::testing::one_context;
using kube::testing::Workspace;

namespace {

constexpr const char* kTwo =
    "current-context: main\n"
    "contexts: [{name: main, context: {cluster: c, user: u, namespace: team}}]\n"
    "clusters: [{name: c, cluster: {server: 'https://one:1', tls-server-name: other}}, "
    "{name: d, cluster: {server: 'https://two:2'}}]\n"
    "users: [{name: u, user: {token: one, as: somebody, as-uid: '7', as-groups: [a, b]}}, "
    "{name: v, user: {username: me, password: secret}}, {name: w, user: {exec: {command: /nowhere, apiVersion: "
    "client.authentication.k8s.io/v1}}}]\n";

using Headers = std::vector<std::pair<std::string, std::string>>;

Result<ClusterAccess> load(const AccessOverrides& flags, const std::string& text = kTwo) {
  const Workspace workspace;
  return load_kubeconfig({workspace.write("config", text)}, "", flags);
}

std::string cause_of(const AccessOverrides& flags) {
  const auto access = load(flags);
  REQUIRE_FALSE(access);
  return access.error().message();
}

}  // namespace

TEST_CASE("without flags the kubeconfig alone counts, and the user acts as another") {
  const auto access = load({});
  REQUIRE(access);
  CHECK(access->url() == "https://one:1");
  CHECK(access->tls_server_name == "other");
  CHECK(access->impersonation() == Headers{{"Impersonate-User", "somebody"},
                                           {"Impersonate-Uid", "7"},
                                           {"Impersonate-Group", "a"},
                                           {"Impersonate-Group", "b"}});
}

TEST_CASE("another cluster and another user of the kubeconfig, in the same context") {
  const auto access = load({.cluster = "d", .user = "v"});
  REQUIRE(access);
  CHECK(access->url() == "https://two:2");
  CHECK(access->username == "me");
  CHECK(access->default_namespace == "team");
  CHECK(access->impersonation().empty());
  CHECK(contains(cause_of({.cluster = "none"}), "\"none\" is not defined"));
  CHECK(contains(cause_of({.user = "none"}), "\"none\" is not defined"));
}

TEST_CASE("another server has not the name of the kubeconfig's") {
  auto access = load({.server = "http://three:3/p"});
  REQUIRE(access);
  CHECK(access->url() == "http://three:3/p");
  CHECK(access->tls_server_name.empty());
  access = load({.server = "https://three", .tls_server_name = "four"});
  REQUIRE(access);
  CHECK(access->tls_server_name == "four");
  CHECK(contains(cause_of({.server = "ftp://x"}), "cannot use --server: it does not start with https://"));
}

TEST_CASE("certificates: a file in place of the kubeconfig's, or none is asked for") {
  const Workspace workspace;
  const auto file = workspace.write("ca", "-----BEGIN CERTIFICATE-----");
  auto access = load({.certificate_authority = file});
  REQUIRE(access);
  CHECK(access->ca_pem == "-----BEGIN CERTIFICATE-----");
  const auto with_ca = one_context("", "server: 'https://h', certificate-authority: " + file);
  REQUIRE(load({}, with_ca)->ca_pem == "-----BEGIN CERTIFICATE-----");
  access = load({.insecure_skip_tls_verify = true}, with_ca);
  REQUIRE(access);
  CHECK(access->ca_pem.empty());
  CHECK(access->insecure_skip_tls_verify);
  CHECK(contains(cause_of({.certificate_authority = "/nowhere/ca"}), "/nowhere/ca"));
  const auto text = workspace.write("text", "no certificate");
  CHECK(contains(cause_of({.certificate_authority = text}), "has no PEM block"));
  CHECK(contains(cause_of({.certificate_authority = file, .insecure_skip_tls_verify = true}), "contradicts"));
}

TEST_CASE("a client certificate and its key stand in place of the kubeconfig's, each or both") {
  const Workspace workspace;
  const auto pem = [&](const std::string& name) {
    return workspace.write(name, "-----BEGIN " + name + "-----\n-----END " + name + "-----\n");
  };
  const std::string certificate = pem("CERTIFICATE");
  const std::string key = pem("KEY");
  const std::string text = one_context("client-certificate: " + pem("OLD") + ", client-key: " + pem("OLDKEY"));
  const auto both = load({.client_certificate = certificate, .client_key = key}, text);
  REQUIRE_MESSAGE(both, both.error().message());
  CHECK(contains(both->client_cert_pem, "BEGIN CERTIFICATE"));
  CHECK(contains(both->client_key_pem, "BEGIN KEY"));
  const auto one = load({.client_key = key}, text);
  REQUIRE(one);
  CHECK(contains(one->client_cert_pem, "BEGIN OLD"));
  CHECK(contains(one->client_key_pem, "BEGIN KEY"));
  CHECK(load({.client_certificate = certificate, .client_key = key})->client_key_pem.size() > 10);  // it had a token
  CHECK(contains(cause_of({.client_certificate = certificate}), "--client-certificate: it needs --client-key"));
  CHECK(contains(cause_of({.client_key = key}), "--client-key: it needs --client-certificate"));
  CHECK(contains(cause_of({.client_certificate = "/nowhere", .client_key = key}), "/nowhere"));
  CHECK(contains(cause_of({.client_certificate = workspace.write("plain", "no"), .client_key = key}),
                 "--client-certificate: " + workspace.path("plain") + " has no PEM block"));
}

TEST_CASE("a token stands for every other way to log in, and no plugin is run for it") {
  for (const char* user : {"u", "v", "w"}) {
    const auto access = load({.user = user, .token = "mine"});
    REQUIRE_MESSAGE(access, access.error().message());
    CHECK(access->authorization() == "Bearer mine");
  }
  CHECK(contains(cause_of({.token = "a\r\nHost: x"}), "--token"));
}

TEST_CASE("--as and its like take the place of the kubeconfig's") {
  const auto access = load({.as = "root", .as_groups = {"x", "y"}});
  REQUIRE(access);
  CHECK(access->impersonation() == Headers{{"Impersonate-User", "root"},
                                           {"Impersonate-Uid", "7"},
                                           {"Impersonate-Group", "x"},
                                           {"Impersonate-Group", "y"}});
  CHECK(contains(cause_of({.as = "a\nb"}), "--as"));
  CHECK(contains(cause_of({.user = "v", .as_groups = {"x"}}), "--as-group: it needs --as"));
}

TEST_CASE("with a server there need be no kubeconfig") {
  const auto access = load_kubeconfig({"/nowhere/config"}, "", {.server = "https://h:5", .token = "mine", .as = "me"});
  REQUIRE(access);
  CHECK(access->url() == "https://h:5");
  CHECK(access->authorization() == "Bearer mine");
  CHECK(access->impersonation() == Headers{{"Impersonate-User", "me"}});
  CHECK(access->default_namespace == "default");
  CHECK_FALSE(load_kubeconfig({"/nowhere/config"}, "main", {.server = "https://h:5"}));
  CHECK_FALSE(load_kubeconfig({"/nowhere/config"}, "", {.token = "mine"}));
}
