#include "common/kube/kubeconfig.h"

#include "common/kube/encoding.h"
#include "common/kube/kubeconfig_test_support.h"
#include "common/kube/server_url.h"

using namespace usbloop;
using namespace usbloop::kube;
using namespace usbloop::kube::testing;

namespace {

const std::string kCert = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const std::string kKey = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";

const std::string kTwoContexts = R"(apiVersion: v1
kind: Config
current-context: desk
preferences: {}
clusters:
- name: lab
  cluster:
    server: https://[::1]:7443/prefix/
    insecure-skip-tls-verify: true
- name: local
  cluster: {server: "https://127.0.0.1:6443", certificate-authority: ca.crt, tls-server-name: api.example}
users:
- name: admin
  user: {token: secret}
- name: basic
  user: {username: me, password: "p:w"}
contexts:
- name: desk
  context: {cluster: local, user: admin, namespace: team}
- name: far
  context: {cluster: lab, user: basic}
)";

Error error_of(const std::string& text, const std::string& context = {}) {
  const Workspace workspace;
  const auto access = load_kubeconfig({workspace.write("config", text)}, context);
  REQUIRE(!access);
  return access.error();
}

}  // namespace

TEST_CASE("the current context names cluster, user and namespace") {
  const Workspace workspace;
  workspace.write("ca.crt", kCert);
  const auto access = load_kubeconfig({workspace.write("config", kTwoContexts)}, "");
  REQUIRE(access);
  CHECK(access->context == "desk");
  CHECK(access->url() == "https://127.0.0.1:6443");
  CHECK(access->ca_pem == kCert);
  CHECK(access->tls_server_name == "api.example");
  CHECK(access->default_namespace == "team");
  CHECK(access->authorization() == "Bearer secret");
  CHECK_FALSE(access->insecure_skip_tls_verify);
}

TEST_CASE("a context can be chosen by name") {
  const Workspace workspace;
  const auto access = load_kubeconfig({workspace.write("config", kTwoContexts)}, "far");
  REQUIRE(access);
  CHECK(access->host == "::1");
  CHECK(access->port == 7443);
  CHECK(access->path_prefix == "/prefix");
  CHECK(access->url() == "https://[::1]:7443/prefix");
  CHECK(access->default_namespace == "default");
  CHECK(access->insecure_skip_tls_verify);
  CHECK(access->authorization() == "Basic bWU6cDp3");
}

TEST_CASE("credentials are not sent to a server without TLS") {
  const Workspace workspace;
  const auto access = load_kubeconfig({workspace.write("config", one_context("token: t", "server: 'http://h'"))}, "");
  REQUIRE(access);
  CHECK(access->port == 80);
  CHECK_FALSE(access->authorization());
}

TEST_CASE("certificates come from data, or from files beside the kubeconfig") {
  const Workspace workspace;
  workspace.write("client.key", kKey);
  workspace.write("wrong.crt", "-----BEGIN X-----");
  const auto access = load_kubeconfig(
      {workspace.write("config", one_context("client-certificate-data: " + base64_encode(kCert) +
                                             ", client-certificate: wrong.crt, client-key: client.key"))},
      "");
  REQUIRE(access);
  CHECK(access->client_cert_pem == kCert);
  CHECK(access->client_key_pem == kKey);
}

TEST_CASE("a token file wins over a token and is trimmed") {
  const Workspace workspace;
  workspace.write("token", "  from-file\n");
  auto access = load_kubeconfig({workspace.write("config", one_context("token: inline, tokenFile: token"))}, "");
  REQUIRE(access);
  CHECK(access->token == "from-file");
  access = load_kubeconfig({workspace.write("config", one_context("token: inline, tokenFile: gone"))}, "");
  REQUIRE(access);
  CHECK(access->token == "inline");
  access = load_kubeconfig({workspace.write("config", one_context("tokenFile: gone"))}, "");
  REQUIRE(!access);
  CHECK(contains(access.error().cause, "user.tokenFile: cannot read"));
}

TEST_CASE("in a list of files the first mention wins and missing files are skipped") {
  const Workspace workspace;
  const auto first = workspace.write("first", "users: [{name: u, user: {token: first}}]\ncontexts: []\n");
  const auto second = workspace.write("second", one_context("token: second"));
  const auto access = load_kubeconfig({workspace.path("missing"), first, second}, "");
  REQUIRE(access);
  CHECK(access->token == "first");
  CHECK(access->host == "127.0.0.1");
}

TEST_CASE("the paths are the flag, else KUBECONFIG, else the home directory") {
  const Variable home("HOME", "/home/person");
  {
    const Variable list("KUBECONFIG", "/a::/b:/a");
    CHECK(kubeconfig_paths("/flag") == std::vector<std::string>{"/flag"});
    CHECK(kubeconfig_paths("") == std::vector<std::string>{"/a", "/b"});
  }
  const Variable list("KUBECONFIG", "");
  CHECK(kubeconfig_paths("") == std::vector<std::string>{"/home/person/.kube/config"});
}

TEST_CASE("a missing file is named, with the ways to give another") {
  const auto access = load_kubeconfig({"/no/such/config"}, "");
  REQUIRE(!access);
  CHECK(access.error().kind == ErrorKind::not_found);
  CHECK(access.error().message() == "cannot read kubeconfig /no/such/config: no such file");
  CHECK(contains(access.error().hint, "--kubeconfig"));
}

TEST_CASE("a directory is not a kubeconfig") {
  const auto access = load_kubeconfig({"/"}, "");
  REQUIRE(!access);
  CHECK(contains(access.error().message(), "it is a directory"));
}

TEST_CASE("no current context and an unknown context list the contexts there are") {
  const auto none = error_of("contexts: [{name: a, context: {}}, {name: b, context: {}}]");
  CHECK(none.cause == "current-context is not set");
  CHECK(contains(none.hint, "a, b"));
  const auto unknown = error_of(kTwoContexts, "nope");
  CHECK(unknown.cause == "there is no context \"nope\"");
  CHECK(contains(unknown.hint, "desk, far"));
  CHECK(error_of("", "x").hint == "The kubeconfig has no contexts.");
}

TEST_CASE("an unknown cluster or user is named together with the context") {
  const auto cluster =
      error_of("contexts: [{name: a, context: {cluster: x}}]\nclusters: [{name: y, cluster: {}}]", "a");
  CHECK(cluster.cause == "contexts[0].context.cluster: \"x\" is not defined");
  CHECK(contains(cluster.hint, "y"));
  const auto user = error_of(
      "contexts: [{name: a, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://h'}}]",
      "a");
  CHECK(user.cause == "contexts[0].context.user: \"u\" is not defined");
}

TEST_CASE("each wrong field is named") {
  struct Case {
    const char* user;
    const char* cluster;
    const char* cause;
  };
  const Case cases[] = {
      {"", "", "clusters[0].cluster.server: is missing"},
      {"", "server: 'ftp://x'", "clusters[0].cluster.server: it does not start with https:// or http://"},
      {"", "server: [1]", "clusters[0].cluster.server: must be text, but is a list"},
      {"", "server: 'https://h', proxy-url: 'ftp://p'", "clusters[0].cluster.proxy-url: it is neither http://"},
      {"", "server: 'https://h', insecure-skip-tls-verify: maybe", "insecure-skip-tls-verify: must be true or false"},
      {"", "server: 'https://h', certificate-authority-data: '!!'", "certificate-authority-data: is not base64"},
      {"", "server: 'https://h', certificate-authority-data: aGVsbG8=", "certificate-authority-data: has no PEM block"},
      {"", "server: 'https://h', certificate-authority: gone", "certificate-authority: cannot read"},
      {"auth-provider: {name: gcp}", "server: 'https://h'", "users[0].user.auth-provider: this way to log in"},
      {"as-user-extra: {a: [b]}", "server: 'https://h'", "users[0].user.as-user-extra: extra fields of a user"},
      {"as-groups: [a]", "server: 'https://h'", "users[0].user.as: is missing, but there is as-uid or as-groups"},
      {"as: a, as-groups: a", "server: 'https://h'", "users[0].user.as-groups: must be a list"},
      {"as: a, as-groups: [[a]]", "server: 'https://h'", "users[0].user.as-groups: is not a list of names"},
      {"as: \"a\\r\\nHost: x\"", "server: 'https://h'", "users[0].user.as: has a control character"},
      {"token: a, username: b", "server: 'https://h'", "users[0].user.token: contradicts username and password"},
      {"token: \"a\\r\\nHost: x\"", "server: 'https://h'", "users[0].user.token: has a control character"},
      {"token: \"a\\0b\"", "server: 'https://h'", "users[0].user.token: has a NUL byte"},
      {"token: {a: b}", "server: 'https://h'", "users[0].user.token: must be text, but is a mapping"},
  };
  for (const auto& [user, cluster, cause] : cases) {
    const auto error = error_of(one_context(user, cluster));
    CHECK_MESSAGE(contains(error.cause, cause), error.cause);
    CHECK(error.kind == ErrorKind::invalid);
  }
}

TEST_CASE("the proxy of a cluster is taken") {
  const Workspace workspace;
  const auto access = load_kubeconfig(
      {workspace.write("config", one_context("", "server: 'https://h', proxy-url: 'socks5://p:1'"))}, "");
  REQUIRE(access);
  CHECK(access->proxy.url() == "socks5://p:1");
}

TEST_CASE("a certificate without its key is refused") {
  const auto error = error_of(one_context("client-certificate-data: " + base64_encode(kCert)));
  CHECK(contains(error.cause, "users[0].user.client-key: is missing"));
}

TEST_CASE("a server URL is taken apart or refused") {
  CHECK(parse_server_url("https://h")->port == 443);
  CHECK(parse_server_url("http://h:8001/a/b/")->path_prefix == "/a/b");
  for (const char* text :
       {"", "h:6443", "https://", "https://h:0", "https://h:65536", "https://h:1:2", "https://[::1", "https://[::1]x",
        "https://h?x=1", "https://h#f", "https://h /x", "https://h\r\n", "https://:1"}) {
    CHECK_MESSAGE(!parse_server_url(text), text);
  }
  const auto secret = parse_server_url("https://user:password@h");
  REQUIRE(!secret);
  CHECK_FALSE(contains(secret.error().message(), "password@"));
}

TEST_CASE("base64 of every length round-trips and broken base64 is refused") {
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
    bytes.push_back(static_cast<char>(length * 7));
  }
  CHECK(base64_decode("aGVs\nbG8=") == "hello");
  for (const char* text : {"a", "aGVsbG8", "a*==", "aGVsbG8=x"}) CHECK_MESSAGE(!base64_decode(text), text);
}
