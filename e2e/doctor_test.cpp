// `kubectl usbredir doctor` against the real API server with one fault at a time.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "common/net/test_certificate.h"
#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using nlohmann::json;
using usbloop::testing::contains;

namespace {

/// What doctor says of each step.
struct Findings {
  std::map<std::string, json> checks;

  [[nodiscard]] std::string status(const std::string& name) const {
    const auto found = checks.find(name);
    return found == checks.end() ? "missing" : found->second.at("status").get<std::string>();
  }
  [[nodiscard]] std::string detail(const std::string& name) const { return checks.at(name).at("detail"); }
  [[nodiscard]] std::string cure(const std::string& name) const { return checks.at(name).at("cure"); }
  /// The steps that have failed, in words.
  [[nodiscard]] std::string failed() const {
    std::string names;
    for (const auto& [name, check] : checks) {
      if (check.at("status") == "failed") names += (names.empty() ? "" : " ") + name;
    }
    return names;
  }
};

struct Desk : FakeNodeScene {
  Desk() { node.add_running_vmi("demo"); }

  Process start(const std::string& vmi, std::vector<std::string> more = {}) {
    const bool names_cluster = !more.empty() && (more.front() == "--server" || more.front() == "--kubeconfig");
    if (!names_cluster) more.insert(more.begin(), {"--kubeconfig", loop.kubeconfig()});
    std::vector<std::string> arguments = {"doctor", "--emulate", stick(), vmi, "-o", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return start_client(dir, "doctor-" + std::to_string(++runs_), arguments);
  }

  /// The findings of a run that ends with that status.
  static Findings end(Process& doctor, int status) {
    const ExitStatus ended = doctor.wait_exit(30s);
    INFO(doctor.output());
    CHECK(ended.code == status);
    const json all = json::parse(doctor.out(), nullptr, false);
    REQUIRE(all.is_object());
    CHECK(all.at("healthy") == (status == 0));
    Findings findings;
    for (const json& check : all.at("checks")) findings.checks[check.at("name")] = check;
    CHECK(findings.checks.size() == 14);
    return findings;
  }

  Findings faulty(const std::string& vmi, const std::vector<std::string>& more = {}) {
    Process doctor = start(vmi, more);
    return end(doctor, 1);
  }

 private:
  int runs_ = 0;
};

}  // namespace

TEST_CASE("doctor finds nothing wrong where nothing is, takes a slot and gives it back") {
  Desk desk;
  Process doctor = desk.start("vmi/demo");
  RawWebsocket slot = desk.node.accept_websocket();
  const Findings findings = Desk::end(doctor, 0);
  CHECK(findings.failed().empty());
  for (const char* name : {"device", "kubeconfig", "server", "tls", "login", "kubevirt", "rights", "vmi", "running",
                           "passthrough", "slot"}) {
    CAPTURE(name);
    CHECK(findings.status(name) == "ok");
  }
  CHECK(findings.status("permission") == "notChecked");
  CHECK(contains(findings.detail("device"), "0951:1666"));
}

TEST_CASE("doctor names what is wrong with the VMI, and its cure") {
  Desk desk;
  auto findings = desk.faulty("ghost");
  CHECK(findings.failed() == "vmi");
  CHECK(findings.detail("vmi") == "VMI default/ghost is not there");
  CHECK(contains(findings.cure("vmi"), "kubectl get vmi -n default"));
  CHECK(findings.status("slot") == "notChecked");

  const Vmi idle(desk.loop, "idle", {.node_selector = {{"kubernetes.io/hostname", "no-such-node"}}});
  findings = desk.faulty("idle");
  CHECK(findings.failed() == "running");
  CHECK(contains(findings.detail("running"), ", not Running"));

  const Vmi plain(desk.loop, "plain", {.client_passthrough = false});
  findings = desk.faulty("plain");
  CHECK(findings.failed() == "passthrough running");
  CHECK(contains(findings.cure("passthrough"), "clientPassthrough: {}"));
}

TEST_CASE("doctor tells a VMI that is missing from one whose VM is stopped") {
  Desk desk;
  json vm = {{"apiVersion", "kubevirt.io/v1"},
             {"kind", "VirtualMachine"},
             {"metadata", {{"name", "asleep"}, {"namespace", "default"}}},
             {"spec", {{"runStrategy", "Halted"}, {"template", {{"spec", vmi_manifest("asleep").at("spec")}}}}}};
  const auto made = desk.loop.api().create("/apis/kubevirt.io/v1/namespaces/default/virtualmachines", vm);
  REQUIRE_MESSAGE(made.status == 201, made.body);
  const auto findings = desk.faulty("asleep");
  CHECK(findings.failed() == "vmi");
  CHECK(contains(findings.detail("vmi"), "but its VM is"));
  CHECK(findings.cure("vmi") == "Start it: virtctl start asleep -n default");
}

TEST_CASE("doctor tells missing rights from credentials that are wrong") {
  Desk desk;
  auto findings = desk.faulty("demo", {"--as", "somebody"});
  CHECK(findings.failed() == "rights");
  CHECK(findings.status("login") == "ok");
  CHECK(findings.detail("rights") == "you may not get virtualmachineinstances/usbredir in default");
  CHECK(contains(findings.cure("rights"), "kubevirt.io:edit"));
  CHECK(findings.status("vmi") == "notChecked");

  const std::string server = "https://" + desk.loop.api().host() + ":" + std::to_string(desk.loop.api().port());
  findings = desk.faulty(
      "demo", {"--server", server, "--certificate-authority", desk.loop.api().ca_file(), "--token", "wrong"});
  CHECK(findings.failed() == "login");
  CHECK(contains(findings.cure("login"), "expired"));
}

TEST_CASE("doctor tells a server that cannot be reached from one that is not trusted") {
  Desk desk;
  auto findings = desk.faulty("demo", {"--server", "https://127.0.0.1:1", "--token", "any"});
  CHECK(findings.failed() == "server");
  CHECK(contains(findings.detail("server"), "Connection refused"));
  CHECK(contains(findings.cure("server"), "Is the server running"));
  CHECK(findings.status("tls") == "notChecked");
  CHECK(findings.status("device") == "ok");

  const auto strange = desk.dir.path() / "strange-ca.pem";
  write_file(strange, usbloop::net::test::self_signed("strange", "DNS:strange").certificate);
  const std::string server = "https://" + desk.loop.api().host() + ":" + std::to_string(desk.loop.api().port());
  findings = desk.faulty("demo", {"--server", server, "--certificate-authority", strange, "--token", "any"});
  CHECK(findings.failed() == "tls");
  CHECK(contains(findings.detail("tls"), "certificate"));
  CHECK(contains(findings.cure("tls"), "does not vouch for this server"));

  findings = desk.faulty("demo", {"--server", server + "/elsewhere", "--certificate-authority",
                                  desk.loop.api().ca_file(), "--token", desk.loop.api().token()});
  CHECK(findings.failed() == "kubevirt");
}

TEST_CASE("doctor goes on behind what fails first: a missing image, a missing kubeconfig, slots that are taken") {
  Desk desk;
  auto findings = desk.faulty("ghost", {"--kubeconfig", desk.dir.path() / "none"});
  CHECK(findings.failed() == "kubeconfig");
  CHECK(findings.status("server") == "notChecked");

  std::filesystem::remove(desk.image);
  Process doctor = desk.start("demo");
  auto request = desk.node.accept();
  request.socket->send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  findings = Desk::end(doctor, 1);
  CHECK(findings.failed() == "device slot");
  CHECK(contains(findings.detail("device"), "No such file"));
  CHECK(contains(findings.cure("slot"), "four devices at a time"));
}
