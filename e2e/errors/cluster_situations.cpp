// What the API server refuses.
#include <nlohmann/json.hpp>

#include "e2e/errors/desk.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/vmi.h"

namespace usbloop::e2e {
namespace {

/// As the node: nobody else writes a VMI's status.
void patch_status(Desk& desk, const std::string& vmi, const nlohmann::json& status) {
  const auto answer = Api(desk.loop().node_kubeconfig()).merge_patch(vmis_path() + "/" + vmi, {{"status", status}});
  if (answer.status != 200) throw Failure(answer.body);
}

Outcome with_token(Desk& desk, const std::string& token) {
  auto arguments = desk.server_with(token);
  arguments.emplace_back("demo");
  return desk.plain(arguments);
}

/// The node's answer to the next request.
Outcome node_says(Desk& desk, const std::string& answer) {
  Process client = desk.start_emulated({"demo"});
  const FakeNode::Request request = desk.node().accept();
  request.socket->send(answer);
  return Desk::end(client);
}

}  // namespace

void add_cluster_situations(Situations& all) {
  all["the token is wrong or has expired"] = [](Desk& desk) { return with_token(desk, "wrong"); };
  all["the kubeconfig has no credentials"] = [](Desk& desk) {
    return desk.plain({"--kubeconfig", desk.kubeconfig_with_user(""), "--emulate", desk.stick(), "demo"});
  };
  all["the right is missing"] = [](Desk& desk) { return desk.emulated({"--as", "somebody", "demo"}); };
  all["the server has no KubeVirt"] = [](Desk& desk) {
    auto arguments = desk.server_with(desk.loop().api().token());
    arguments[1] += "/elsewhere";
    arguments.emplace_back("demo");
    return desk.plain(arguments);
  };
  all["there is no such VMI"] = [](Desk& desk) { return desk.emulated({"ghost"}); };
  all["the VMI is not running"] = [](Desk& desk) {
    const Vmi idle(desk.loop(), "idle", {.node_selector = {{"kubernetes.io/hostname", "no-such-node"}}});
    return desk.emulated({"idle"});
  };
  all["the VMI has no clientPassthrough"] = [](Desk& desk) {
    const Vmi plain(desk.loop(), "plain", {.client_passthrough = false});
    return desk.emulated({"plain"});
  };
  all["all slots are taken"] = [](Desk& desk) {
    return node_says(desk, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  };
  all["the VMI's node is unknown"] = [](Desk& desk) {
    patch_status(desk, "lost", {{"nodeName", "nowhere"}});
    return desk.emulated({"lost"});
  };
  all["the node has a fault of its own"] = [](Desk& desk) {
    return node_says(desk, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
  };
}

}  // namespace usbloop::e2e
