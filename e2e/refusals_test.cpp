// What the API server refuses (wire.md sections 11 and 12), as the client shows it and as it stands on the wire.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "client/proxy_double.h"
#include "common/fd.h"
#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;

namespace {

struct Desk : FakeNodeScene {
  /// What the client says when it asks for the VMI; it must end with 1.
  std::string refusal(const std::string& vmi, const std::vector<std::string>& more = {}) {
    Process client = start(vmi, more);
    const ExitStatus status = client.wait_exit(20s);
    INFO("standard error: ", client.err());
    CHECK(status.code == 1);
    CHECK_FALSE(contains(client.err(), "Redirecting"));
    return client.err();
  }

  Process start(const std::string& vmi, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--kubeconfig", loop.kubeconfig(), "--emulate", stick(), vmi};
    arguments.insert(arguments.begin(), more.begin(), more.end());
    return start_client(dir, "client-" + std::to_string(++clients_), arguments);
  }

  /// As a node: nobody else writes the status of a VMI.
  void patch(const std::string& vmi, const json& patch) {
    const auto answer = Api(loop.node_kubeconfig()).merge_patch(vmis_path() + "/" + vmi, patch);
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
  }

  /// Sends a request head of ours and returns the whole answer up to `through`.
  std::string raw(const std::string& head, const std::string& through) {
    TlsSocket socket(loop.api().host(), loop.api().port(), loop.api().ca_file());
    REQUIRE(socket.send(head));
    return socket.receive_through(through, 10s);
  }

 private:
  int clients_ = 0;
};

/// Splits an answer and checks that its body is a Status fit for a websocket client: exact type, small enough.
json status_of(const std::string& answer, int code) {
  CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(code) + " "));
  CHECK(contains(answer, "\r\nContent-Type: application/json\r\n"));
  const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
  CHECK(body.size() <= 1024);
  const json status = json::parse(body, nullptr, false);
  REQUIRE_MESSAGE(!status.is_discarded(), answer);
  CHECK(status.value("kind", "") == "Status");
  CHECK(status.value("apiVersion", "") == "v1");
  CHECK(status.value("status", "") == "Failure");
  CHECK(status.value("code", 0) == code);
  return status;
}

}  // namespace

TEST_CASE("a VMI that does not exist") {
  Desk desk;
  const std::string text = "virtualmachineinstance.kubevirt.io \"ghost\" not found";
  CHECK(contains(desk.refusal("ghost"), "Can't access VMI ghost: " + text));
  const json status = status_of(desk.raw(upgrade_head(usbredir_path("ghost"), desk.loop.api().token()), "\n}"), 404);
  CHECK(status.at("reason") == "NotFound");
  CHECK(status.at("message") == text);
  CHECK(status.at("details") ==
        json({{"name", "ghost"}, {"group", "kubevirt.io"}, {"kind", "virtualmachineinstance"}}));
}

TEST_CASE("a VMI without clientPassthrough") {
  Desk desk;
  const Vmi vmi(desk.loop, "plain", {.client_passthrough = false});
  const std::string text =
      "Operation cannot be fulfilled on virtualmachineinstance.kubevirt.io \"plain\": Not configured with USB "
      "Redirection";
  CHECK(contains(desk.refusal("plain"), "Can't access VMI plain: " + text));
  const json status = status_of(desk.raw(upgrade_head(usbredir_path("plain"), desk.loop.api().token()), "\n}"), 409);
  CHECK(status.at("reason") == "Conflict");
  CHECK(status.at("message") == text);
}

TEST_CASE("a VMI that is not running, in each phase that is not Running") {
  Desk desk;
  const Vmi vmi(desk.loop, "idle", {.node_selector = {{"kubernetes.io/hostname", "no-such-node"}}});
  CHECK(contains(desk.refusal("idle"), "Can't access VMI idle: VMI is not running"));
  for (const char* phase : {"Pending", "Scheduling", "Scheduled", "Succeeded", "Failed"}) {
    CAPTURE(phase);
    desk.patch("idle", {{"status", {{"phase", phase}}}});
    const json status = status_of(desk.raw(upgrade_head(usbredir_path("idle"), desk.loop.api().token()), "\n}"), 400);
    CHECK(status.at("reason") == "BadRequest");
    CHECK(status.at("message") == "VMI is not running");
  }
}

TEST_CASE("the namespace of -n is asked") {
  Desk desk;
  desk.node.add_running_vmi("demo");
  CHECK(contains(desk.refusal("demo", {"-n", "elsewhere"}),
                 "Can't access VMI demo: virtualmachineinstance.kubevirt.io \"demo\" not found"));
}

TEST_CASE("a node that is unknown, and one that does not answer") {
  Desk desk;
  desk.node.add_running_vmi("lost");
  desk.patch("lost", {{"status", {{"nodeName", "nowhere"}}}});
  CHECK(contains(desk.refusal("lost"), "Can't access VMI lost: No virt-handler on node nowhere found"));

  desk.node.add_running_vmi("deaf");
  std::filesystem::remove(desk.loop.dir() / "node-fake.sock");
  CHECK(contains(desk.refusal("deaf"), "Can't access VMI deaf: Internal error occurred: dialing virt-handler: "));
}

TEST_CASE("what the node refuses reaches the client in the words of KubeVirt") {
  Desk desk;
  desk.node.add_running_vmi("demo");
  struct Case {
    std::string answer;
    std::string message;
  };
  const std::string prefix = "Internal error occurred: Can't connect to websocket ";
  const std::vector<Case> cases = {
      {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", prefix + "(503): websocket: bad handshake"},
      {"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 31\r\n\r\nVMI default/demo does not "
       "exist",
       prefix + "(404): websocket: bad handshake: application info: VMI default/demo does not exist"},
      {"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nno such slot",
       prefix + "(400): websocket: bad handshake: application info: no such slot"}};
  for (const Case& wanted : cases) {
    CAPTURE(wanted.answer);
    Process client = desk.start("demo");
    FakeNode::Request request = desk.node.accept();
    CHECK(request.head.starts_with("GET /v1/namespaces/default/virtualmachineinstances/demo/usbredir HTTP/1.1\r\n"));
    request.socket->send(wanted.answer);
    CHECK(client.wait_exit(10s).code == 1);
    CHECK_MESSAGE(contains(client.err(), "Can't access VMI demo: " + wanted.message), client.err());
  }
}

TEST_CASE("no token and a wrong token are refused before anything is said about the VMI") {
  Desk desk;
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"Authorization", ""}, {"authorization", "Bearer stranger"}}) {
    const std::string head = upgrade_head(usbredir_path("ghost"), "", {{"Authorization", ""}, {name, value}});
    const json status = status_of(desk.raw(head, "}"), 401);
    CHECK(status.at("reason") == "Unauthorized");
    CHECK(status.at("message") == "Unauthorized");
  }
}

TEST_CASE("somebody without the right is told which right it is") {
  Desk desk;
  desk.node.add_running_vmi("demo");
  const Api node(desk.loop.dir() / "apiserver/node.kubeconfig");
  const json status = status_of(desk.raw(upgrade_head(usbredir_path("demo"), node.token()), "\n}"), 403);
  CHECK(status.at("reason") == "Forbidden");
  const std::string message = status.at("message");
  CHECK(message.starts_with(
      "virtualmachineinstances.subresources.kubevirt.io \"demo\" is forbidden: User \"system:node"));
  CHECK(
      message.ends_with("\" cannot get resource \"virtualmachineinstances/usbredir\" in API group "
                        "\"subresources.kubevirt.io\" in the namespace \"default\""));
}

TEST_CASE("who may view is refused usbredir, who may edit is not, and a binding changes that at once") {
  Desk desk;
  int runs = 0;
  const auto said_to = [&](const std::string& config) {
    const ClientEnd end =
        run_client(desk.dir, "user-" + std::to_string(++runs),
                   {"--kubeconfig", desk.loop.dir() / "apiserver" / config, "--emulate", desk.stick(), "ghost"});
    CHECK(end.status.code == 1);
    return end.err;
  };
  const std::string refused =
      "Can't access VMI ghost: virtualmachineinstances.subresources.kubevirt.io \"ghost\" is forbidden: User "
      "\"viewer\" "
      "cannot get resource \"virtualmachineinstances/usbredir\" in API group \"subresources.kubevirt.io\" in the "
      "namespace \"default\"";
  const std::string allowed = "virtualmachineinstance.kubevirt.io \"ghost\" not found";
  CHECK(contains(said_to("view.kubeconfig"), refused));
  CHECK(contains(said_to("edit.kubeconfig"), allowed));
  const std::string bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
  const json binding = {{"metadata", {{"name", "b"}}},
                        {"roleRef", {{"kind", "ClusterRole"}, {"name", "kubevirt.io:edit"}}},
                        {"subjects", json::array({{{"kind", "User"}, {"name", "viewer"}}})}};
  REQUIRE(desk.loop.api().create(bindings, binding).status == 201);
  CHECK(contains(said_to("view.kubeconfig"), allowed));
  REQUIRE(desk.loop.api().remove(bindings + "/b").status == 200);
  CHECK(contains(said_to("view.kubeconfig"), refused));
}

TEST_CASE("kubectl's flags say who asks and whom: --as, --server with --token and no kubeconfig, --user") {
  Desk desk;
  const std::string not_there = "virtualmachineinstance.kubevirt.io \"ghost\" not found";
  CHECK(contains(desk.refusal("ghost"), not_there));
  const std::string as_viewer = desk.refusal("ghost", {"--as", "viewer"});
  CHECK_MESSAGE(contains(as_viewer, "User \"viewer\" cannot get resource"), as_viewer);
  CHECK(contains(desk.refusal("ghost", {"--as", "stranger", "--as-group", "system:masters"}), not_there));
  CHECK(contains(desk.refusal("ghost", {"--user", "nobody"}), "\"nobody\" is not defined"));

  const auto& api = desk.loop.api();
  const std::string server = "https://" + api.host() + ":" + std::to_string(api.port());
  const auto without_kubeconfig = [&](const std::string& token, const std::string& name) {
    return run_client(desk.dir, name,
                      {"--server", server, "--token", token, "--certificate-authority", api.ca_file(), "--emulate",
                       desk.stick(), "ghost"});
  };
  const ClientEnd known = without_kubeconfig(api.token(), "by-flags");
  CHECK_MESSAGE(contains(known.err, not_there), known.err);
  const ClientEnd unknown = without_kubeconfig("wrong", "by-wrong-token");
  CHECK_MESSAGE(contains(unknown.err, "the token or certificate is wrong or has expired"), unknown.err);
}

namespace {

/// What the client hears of a VMI that is not there, with a kubeconfig that names the proxy.
std::string heard_through(const Desk& desk, const std::string& name, const std::string& url) {
  const auto config = desk.dir.path() / (name + ".kubeconfig");
  write_file(config,
             std::regex_replace(read_file(desk.loop.kubeconfig()), std::regex("( *)server: "),
                                "$1proxy-url: " + url + "\n$1server: ", std::regex_constants::format_first_only));
  return run_client(desk.dir, name, {"--kubeconfig", config, "--emulate", desk.stick(), "ghost"}).err;
}

/// A socket of the loopback at a port, or at one that the kernel chooses; what `use` (bind, connect) gives as true.
template <typename Use>
bool use_port(std::uint16_t& port, const Use& use) {
  const usbloop::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  if (use(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return false;
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  if (port == 0) port = ntohs(address.sin_port);
  return true;
}

/// tinyproxy at a port of its own. It cannot be told to choose one, so somebody may be quicker to take it.
Process start_tinyproxy(const Desk& desk, std::uint16_t& port, const std::filesystem::path& log) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port = 0;
    REQUIRE(use_port(port, ::bind));
    const auto config = desk.dir.path() / "tinyproxy.conf";
    write_file(config, "Port " + std::to_string(port) +
                           "\nListen 127.0.0.1\nLogLevel Connect\nMaxClients 10\nLogFile \"" + log.string() + "\"\n");
    Process proxy({.name = "tinyproxy", .argv = {"tinyproxy", "-d", "-c", config}, .log_dir = desk.dir.path()});
    static_cast<void>(holds_within(10s, [&] { return !proxy.running() || use_port(port, ::connect); }));
    if (proxy.running()) return proxy;
  }
  throw Failure("tinyproxy does not start");
}

}  // namespace

TEST_CASE("the server's words come through the proxy of the kubeconfig, in TLS from end to end") {
  using usbloop::client::testing::ProxyDouble;
  using usbloop::kube::Proxy;
  Desk desk;
  for (const auto& [kind, scheme] : {std::pair(Proxy::Kind::http, "http"), {Proxy::Kind::socks5, "socks5"}}) {
    const ProxyDouble proxy(kind);
    const std::string said =
        heard_through(desk, scheme, std::string(scheme) + "://127.0.0.1:" + std::to_string(proxy.proxy().port));
    CHECK_MESSAGE(contains(said, "virtualmachineinstance.kubevirt.io \"ghost\" not found"), said);
    CHECK(proxy.tunnels() == 1);
  }
}

TEST_CASE("the server's words come through a proxy that is not ours") {
  if (!on_path("tinyproxy")) return skip_case("no tinyproxy on PATH (Debian: tinyproxy-bin)");
  Desk desk;
  std::uint16_t port = 0;
  const auto log = desk.dir.path() / "tinyproxy.log";
  const Process proxy = start_tinyproxy(desk, port, log);
  const std::string said = heard_through(desk, "tinyproxy", "http://127.0.0.1:" + std::to_string(port));
  CHECK_MESSAGE(contains(said, "virtualmachineinstance.kubevirt.io \"ghost\" not found"), said);
  CHECK_MESSAGE(contains(read_file(log), "CONNECT 127.0.0.1:" + std::to_string(desk.loop.api().port())),
                read_file(log));
}

TEST_CASE("a request that is no websocket upgrade is refused in text, and takes no slot") {
  Desk desk;
  desk.node.add_running_vmi("demo");
  struct Case {
    std::map<std::string, std::string> headers;
    std::string text;
  };
  const std::vector<Case> cases = {
      {{{"Connection", ""}, {"Upgrade", ""}},
       "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header"},
      {{{"Sec-WebSocket-Version", "8"}},
       "websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header"},
      {{{"Sec-WebSocket-Key", ""}},
       "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header is missing or blank"}};
  for (const Case& wanted : cases) {
    CAPTURE(wanted.text);
    const auto answer =
        desk.raw(upgrade_head(usbredir_path("demo"), desk.loop.api().token(), wanted.headers), wanted.text);
    CHECK(answer.starts_with("HTTP/1.1 400 "));
    CHECK(contains(answer, "\r\nContent-Type: text/plain"));
    CHECK(contains(answer, "Bad Request\n"));
    CHECK(contains(answer, wanted.text));
  }
  CHECK_THROWS(desk.node.accept(50ms));  // the node was never asked
}
