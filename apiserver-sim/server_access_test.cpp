// Who may do what, over TLS: certificates, tokens, roles, impersonation, and what the logs tell of it.
#include <doctest/doctest.h>
#include <httplib.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "apiserver-sim/server.h"
#include "apiserver-sim/test_support.h"
#include "common/kube/kubeconfig.h"
#include "common/log.h"
#include "kube-sim/request/files.h"
#include "kube-sim/security/x509.h"

using namespace usbloop::apiserver;
using namespace std::chrono_literals;
using nlohmann::json;
using test::kVmis;
using test::TemporaryDirectory;

namespace {

const std::string kBindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
const std::string kUsbredir =
    "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachineinstances/demo/usbredir";
const std::string kWhoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A server in a directory of its own, with a token file of the user's beside its own tokens.
struct Site {
  TemporaryDirectory dir;
  std::unique_ptr<ApiServer> server;

  Site() {
    REQUIRE(write_file(dir / "more.csv", "alices-token,alice,1,\"dev,ops\"\n", 0600).has_value());
    Options options;
    options.data_dir = dir / "data";
    options.kubeconfig = dir / "admin.kubeconfig";
    options.node_kubeconfig = dir / "node.kubeconfig";
    options.token_auth_file = dir / "more.csv";
    options.audit_log_path = dir / "audit.log";
    auto started = ApiServer::start(options);
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().message()));
    server = std::move(*started);
  }

  [[nodiscard]] usbloop::kube::ClusterAccess access(const std::string& file = "admin.kubeconfig") const {
    auto access = usbloop::kube::load_kubeconfig({dir / file}, "");
    REQUIRE(access.has_value());
    return std::move(*access);
  }

  using Client = std::unique_ptr<httplib::SSLClient>;
  [[nodiscard]] Client client(const std::string& authorization, const std::string& cert = {},
                              const std::string& key = {}) const {
    const auto admin = access();
    auto made = std::make_unique<httplib::SSLClient>(admin.host, admin.port, cert, key);
    made->set_ca_cert_path((dir / "data/pki/ca.crt").c_str());
    made->enable_server_certificate_verification(true);
    made->set_read_timeout(20s);
    if (!authorization.empty()) made->set_default_headers({{"Authorization", authorization}});
    return made;
  }
  [[nodiscard]] Client with_config(const std::string& file) const { return client("Bearer " + access(file).token); }
  [[nodiscard]] Client admin() const { return with_config("admin.kubeconfig"); }

  /// A client with a certificate that the CA in `ca` has signed.
  [[nodiscard]] Client with_certificate(const std::string& ca, const std::string& user,
                                        const std::vector<std::string>& groups) const {
    const auto ca_cert = parse_certificate(*read_file(ca + ".crt"), "ca");
    const auto ca_key = parse_key(*read_file(ca + ".key"), "ca");
    const auto key = new_key();
    const auto cert = new_certificate({.common_name = user, .organizations = groups}, **key, ca_cert->get(), **ca_key);
    REQUIRE(cert.has_value());
    REQUIRE(write_file(dir / (user + ".crt"), to_pem(**cert), 0600).has_value());
    REQUIRE(write_file(dir / (user + ".key"), to_pem(**key), 0600).has_value());
    return client("", dir / (user + ".crt"), dir / (user + ".key"));
  }
};

json whoami(httplib::SSLClient& client, const httplib::Headers& headers = {}) {
  const auto answer = client.Post(kWhoAmI.c_str(), headers, "{}", "application/json");
  REQUIRE(answer);
  REQUIRE_MESSAGE(answer->status == 201, answer->body);
  return json::parse(answer->body)["status"]["userInfo"];
}

std::string message(const httplib::Result& answer) { return json::parse(answer->body).value("message", ""); }

json binding(const std::string& role, const std::string& user) {
  return {{"metadata", {{"name", role + "-" + user}}},
          {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}}},
          {"subjects", json::array({{{"kind", "User"}, {"name", user}}})}};
}

httplib::Headers upgrade(httplib::Headers more = {}) {
  more.insert({{"Connection", "Upgrade"},
               {"Upgrade", "websocket"},
               {"Sec-WebSocket-Version", "13"},
               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
  return more;
}

/// The lines of the audit log as soon as there are so many.
std::vector<json> audit_lines(const Site& site, std::size_t at_least) {
  std::vector<json> lines;
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (lines.size() < at_least && std::chrono::steady_clock::now() < end) {
    lines.clear();
    std::ifstream file(site.dir / "audit.log");
    for (std::string line; std::getline(file, line) && !file.eof();) lines.push_back(json::parse(line));
    std::this_thread::yield();
  }
  REQUIRE(lines.size() >= at_least);
  return lines;
}

}  // namespace

TEST_CASE("a client certificate of our CA says who it is and in which groups, another's says nothing") {
  const Site site;
  auto carol = site.with_certificate(site.dir / "data/pki/ca", "carol", {"dev", "qa"});
  CHECK(whoami(*carol) == json({{"username", "carol"}, {"groups", {"dev", "qa", "system:authenticated"}}}));
  CHECK(carol->Get(kVmis)->status == 403);
  auto root = site.with_certificate(site.dir / "data/pki/ca", "root", {"system:masters"});
  CHECK(root->Get(kVmis)->status == 200);

  const auto key = new_key();
  const auto other = new_certificate({.common_name = "other", .is_ca = true}, **key, nullptr, **key);
  REQUIRE(write_file(site.dir / "other.crt", to_pem(**other), 0600).has_value());
  REQUIRE(write_file(site.dir / "other.key", to_pem(**key), 0600).has_value());
  auto stranger = site.with_certificate(site.dir / "other", "stranger", {"system:masters"});
  const auto answer = stranger->Get(kVmis);
  CHECK((!answer || answer->status == 401));
}

TEST_CASE("a token of the user's file is known beside the server's own, with its uid and groups") {
  const Site site;
  CHECK(whoami(*site.client("Bearer alices-token")) ==
        json({{"username", "alice"}, {"uid", "1"}, {"groups", {"dev", "ops", "system:authenticated"}}}));
  CHECK(whoami(*site.admin())["username"] == "kubernetes-admin");
  for (const char* wrong : {"Basic YWxpY2U6eA==", "Bearer alices-toke", "Bearer", "alices-token", "Digest x"}) {
    CAPTURE(wrong);
    const auto refused = site.client(wrong)->Get("/healthz");
    REQUIRE(refused);
    CHECK(refused->status == 401);
    CHECK(json::parse(refused->body) == json({{"kind", "Status"},
                                              {"apiVersion", "v1"},
                                              {"metadata", json::object()},
                                              {"status", "Failure"},
                                              {"message", "Unauthorized"},
                                              {"reason", "Unauthorized"},
                                              {"code", 401}}));
  }
}

TEST_CASE("without credentials: health and version, and nothing else") {
  const Site site;
  auto nobody = site.client("");
  for (const char* path : {"/healthz", "/livez", "/readyz", "/version"}) CHECK(nobody->Get(path)->status == 200);
  for (const std::string& path : {std::string("/"), std::string("/api"), std::string("/apis"), std::string("/metrics"),
                                  std::string("/openapi/v2"), std::string(kVmis), kUsbredir}) {
    CAPTURE(path);
    CHECK(nobody->Get(path.c_str())->status == 401);
  }
}

TEST_CASE("the kubeconfigs view and edit are for what their names say: usbredir with the second only") {
  const Site site;
  REQUIRE(site.admin()->Post(kVmis, test::vmi("demo").dump(), "application/json")->status == 201);
  auto viewer = site.with_config("data/view.kubeconfig");
  CHECK(viewer->Get(kVmis)->status == 200);
  CHECK(viewer->Delete((std::string(kVmis) + "/demo").c_str())->status == 403);
  const auto refused = viewer->Get(kUsbredir.c_str(), upgrade());
  REQUIRE(refused);
  CHECK(refused->status == 403);
  CHECK(refused->get_header_value("Content-Type") == "application/json");
  CHECK(refused->body.size() <= 1024);
  const json status = json::parse(refused->body);
  CHECK(status["kind"] == "Status");
  CHECK(status["apiVersion"] == "v1");
  CHECK(status["reason"] == "Forbidden");
  CHECK(status["message"] ==
        "virtualmachineinstances.subresources.kubevirt.io \"demo\" is forbidden: User \"viewer\" cannot get resource "
        "\"virtualmachineinstances/usbredir\" in API group \"subresources.kubevirt.io\" in the namespace \"default\"");
  CHECK(status["details"] ==
        json({{"name", "demo"}, {"group", "subresources.kubevirt.io"}, {"kind", "virtualmachineinstances"}}));
  auto editor = site.with_config("data/edit.kubeconfig");
  // Allowed: what refuses now is the VMI, which does not run.
  CHECK(message(editor->Get(kUsbredir.c_str(), upgrade())) == "VMI is not running");
}

TEST_CASE("a browser's websocket says who it is by a subprotocol, which is right or refused, and on websockets alone") {
  const Site site;
  const auto ask = [&](const std::string& protocols, const std::string& authorization = {}) {
    const auto answer =
        site.client(authorization)->Get(kUsbredir.c_str(), upgrade({{"Sec-WebSocket-Protocol", protocols}}));
    REQUIRE(answer);
    return answer->status;
  };
  const std::string bearer = "base64url.bearer.authorization.k8s.io.";
  const std::string alice = bearer + "YWxpY2VzLXRva2Vu";  // "alices-token": known, and without rights
  CHECK(ask(alice + ", plain.kubevirt.io") == 403);
  CHECK(ask("plain.kubevirt.io, " + alice, "Bearer wrong") == 403);
  CHECK(ask(alice + "=, plain.kubevirt.io", "Bearer alices-token") == 403);
  for (const std::string& wrong : {alice, alice + "=, plain.kubevirt.io", alice + ", " + alice + ", plain.kubevirt.io",
                                   bearer + "d3Jvbmc, plain.kubevirt.io", std::string("plain.kubevirt.io")}) {
    CAPTURE(wrong);
    CHECK(ask(wrong) == 401);
  }
  const auto no_upgrade = site.client("")->Get(kUsbredir.c_str(), {{"Sec-WebSocket-Protocol", alice + ", x"}});
  REQUIRE(no_upgrade);
  CHECK(no_upgrade->status == 401);
}

TEST_CASE("a refused handshake stays within 1024 bytes, however long the names are") {
  const Site site;
  const auto refused =
      site.admin()->Get(kUsbredir.c_str(), upgrade({{"Impersonate-User", "u" + std::string(3000, 'x')}}));
  REQUIRE(refused);
  CHECK(refused->status == 403);
  CHECK(refused->body.size() <= 1024);
  CHECK(json::parse(refused->body)["reason"] == "Forbidden");
}

TEST_CASE("a binding counts from its answer on, until it is gone") {
  const Site site;
  auto admin = site.admin();
  auto alice = site.client("Bearer alices-token");
  CHECK(alice->Get(kVmis)->status == 403);
  for (int round = 0; round < 20; ++round) {
    REQUIRE(admin->Post(kBindings.c_str(), binding("view", "alice").dump(), "application/json")->status == 201);
    CHECK(alice->Get(kVmis)->status == 200);
    REQUIRE(admin->Delete((kBindings + "/view-alice").c_str())->status == 200);
    CHECK(alice->Get(kVmis)->status == 403);
  }
}

TEST_CASE("impersonation is for those who may, on requests, watches and the usbredir upgrade") {
  const Site site;
  auto admin = site.admin();
  auto alice = site.client("Bearer alices-token");
  const httplib::Headers as_bob = {
      {"Impersonate-User", "bob"}, {"Impersonate-Group", "a, b"}, {"Impersonate-Group", "c"}};
  json bob = whoami(*admin, as_bob);
  std::sort(bob["groups"].begin(), bob["groups"].end());  // cpp-httplib 0.18 sends headers of one name in any order
  CHECK(bob == json({{"username", "bob"}, {"groups", {"a, b", "c", "system:authenticated"}}}));
  CHECK(message(admin->Get(kVmis, as_bob)).find("User \"bob\" cannot list") != std::string::npos);
  const std::string refused =
      "users \"bob\" is forbidden: User \"alice\" cannot impersonate resource \"users\" in API group \"\" at the "
      "cluster scope";
  const std::string watch = std::string(kVmis) + "?watch=true&timeoutSeconds=1";
  for (const std::string& path : {std::string(kVmis), watch, kUsbredir}) {
    CAPTURE(path);
    const auto answer = alice->Get(path.c_str(), upgrade(as_bob));
    REQUIRE(answer);
    CHECK(answer->status == 403);
    CHECK(message(answer) == refused);
    CHECK(message(admin->Get(path.c_str(), upgrade(as_bob))).find("User \"bob\" cannot") != std::string::npos);
  }
  REQUIRE(admin->Post(kBindings.c_str(), binding("edit", "bob").dump(), "application/json")->status == 201);
  CHECK(admin->Get(watch.c_str(), as_bob)->status == 200);
  CHECK(admin->Get(kUsbredir.c_str(), upgrade(as_bob))->status == 404);
}

TEST_CASE("every request is in the audit log with its id, its user and the decision") {
  const Site site;
  auto alice = site.client("Bearer alices-token");
  const auto refused = alice->Get(kVmis, {{"Audit-ID", "one"}, {"User-Agent", "test/1"}});
  CHECK(refused->get_header_value("Audit-Id") == "one");
  const auto watched = site.admin()->Get(
      "/api/v1/namespaces?watch=true&timeoutSeconds=1",
      {{"Audit-ID", "two"}, {"Impersonate-User", "viewer"}, {"Impersonate-Group", "usbloop:viewers"}});
  CHECK(watched->get_header_value("Audit-Id") == "two");
  CHECK(alice->Get(kUsbredir.c_str(), upgrade({{"Audit-ID", "three"}}))->get_header_value("Audit-Id") == "three");
  CHECK(site.client("Bearer wrong")->Get("/api", {{"Audit-ID", "four"}})->get_header_value("Audit-Id") == "four");
  const auto lines = audit_lines(site, 7);
  const auto find = [&](const char* id, const char* stage) {
    for (const json& line : lines) {
      if (line["auditID"] == id && line["stage"] == stage) return line;
    }
    FAIL("no event ", id, " ", stage);
    return json();
  };
  const json first = find("one", "ResponseComplete");
  CHECK(first["user"]["username"] == "alice");
  CHECK(first["user"]["groups"] == json({"dev", "ops", "system:authenticated"}));
  CHECK(first["verb"] == "list");
  CHECK(first["userAgent"] == "test/1");
  CHECK(first["sourceIPs"] == json::array({"127.0.0.1"}));
  CHECK(first["responseStatus"]["code"] == 403);
  CHECK(first["annotations"]["authorization.k8s.io/decision"] == "forbid");
  find("two", "RequestReceived");
  find("two", "ResponseStarted");
  const json second = find("two", "ResponseComplete");
  CHECK(second["user"]["username"] == "kubernetes-admin");
  CHECK(second["impersonatedUser"]["username"] == "viewer");
  CHECK(second["responseStatus"]["code"] == 200);
  CHECK(
      second["annotations"]["authorization.k8s.io/reason"].get<std::string>().starts_with("RBAC: allowed by Cluster"));
  CHECK(find("three", "ResponseComplete")["objectRef"]["subresource"] == "usbredir");
  const json fourth = find("four", "ResponseComplete");
  CHECK(fourth["responseStatus"]["code"] == 401);
  CHECK_FALSE(fourth.contains("annotations"));
}

TEST_CASE("no log holds a token, a password or a key") {
  std::ostringstream log;
  const auto previous = spdlog::default_logger();
  const auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log));
  logger->set_level(spdlog::level::trace);
  spdlog::set_default_logger(logger);
  std::string everything;
  std::vector<std::string> secrets = {"alices-token", "YWxpY2VzLXRva2Vu", "hunter2-token",
                                      "YWxpY2U6aHVudGVyMg==", "PRIVATE KEY"};
  {
    const Site site;
    for (const char* file : {"admin.kubeconfig", "node.kubeconfig", "data/view.kubeconfig", "data/edit.kubeconfig"}) {
      secrets.push_back(site.access(file).token);
      CHECK(site.with_config(file)->Get("/api"));
    }
    auto alice = site.client("Bearer alices-token");
    alice->Get(kVmis);
    alice->Get("/api");
    alice->Get(kUsbredir.c_str(), upgrade());
    alice->Post(kVmis, "{", "application/json");
    const std::string bearer = "base64url.bearer.authorization.k8s.io.";
    for (const char* token : {"YWxpY2VzLXRva2Vu", "YWxpY2VzLXRva2Vu="}) {
      const auto headers = upgrade({{"Sec-WebSocket-Protocol", bearer + token + ", plain.kubevirt.io"}});
      CHECK(site.client("")->Get(kUsbredir.c_str(), headers));
    }
    site.client("Bearer hunter2-token")->Get(kVmis);
    site.client("Basic YWxpY2U6aHVudGVyMg==")->Get(kVmis);
    site.with_certificate(site.dir / "data/pki/ca", "carol", {})->Get(kVmis);
    audit_lines(site, 10);
    std::ifstream audit(site.dir / "audit.log");
    everything.assign(std::istreambuf_iterator<char>(audit), {});
  }
  spdlog::set_default_logger(previous);
  CHECK(log.str().find("cannot list resource") != std::string::npos);  // the log was heard
  everything += log.str();
  for (const std::string& secret : secrets) CHECK(everything.find(secret) == std::string::npos);
}
