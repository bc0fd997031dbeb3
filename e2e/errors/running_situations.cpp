// What happens to a redirection that has begun.
#include <nlohmann/json.hpp>
#include <optional>

#include "e2e/errors/desk.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/usbredir_bytes.h"
#include "e2e/harness/vmi.h"

namespace usbloop::e2e {
namespace {

struct Running {
  Process client;
  std::optional<RawWebsocket> far;

  Running(Desk& desk, std::vector<std::string> arguments) : Running(desk, desk.start_emulated(std::move(arguments))) {}
  Running(Desk& desk, Process started) : client(std::move(started)), far(desk.node().accept_websocket()) {
    far->send({.payload = qemu_hello(), .masked = false});
    client.wait_err("Redirecting 0951:1666", 10s);
  }
};

constexpr const char* kAccounts = "/api/v1/namespaces/default/serviceaccounts";

/// The token of a service account that may edit, which ends with the account.
std::string token_of_account(Desk& desk) {
  const auto& api = desk.loop().api();
  const auto expect = [](const ApiAnswer& answer) {
    if (answer.status != 201) throw Failure(answer.body);
    return answer.json();
  };
  expect(api.create(kAccounts, {{"metadata", {{"name", "robot"}}}}));
  expect(api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
                    {{"metadata", {{"name", "robot"}}},
                     {"roleRef", {{"kind", "ClusterRole"}, {"name", "kubevirt.io:edit"}}},
                     {"subjects", {{{"kind", "ServiceAccount"}, {"name", "robot"}, {"namespace", "default"}}}}}));
  const auto request = expect(api.create(
      std::string(kAccounts) + "/robot/token",
      {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", nlohmann::json::object()}}));
  return request.at("status").at("token");
}

Outcome token_expires(Desk& desk) {
  auto arguments = desk.server_with(token_of_account(desk));
  arguments.emplace_back("demo");
  Running running(desk, start_client(desk.dir(), "robot", arguments));
  if (desk.loop().api().remove(std::string(kAccounts) + "/robot").status != 200) throw Failure("the account stays");
  running.far.reset();
  return Desk::end(running.client);
}

/// Deleted, and its guest has ended: the node lets it go.
Outcome vmi_is_deleted(Desk& desk) {
  Running running(desk, {"short"});
  const std::string path = vmis_path() + "/short";
  if (const auto answer = desk.loop().api().remove(path); answer.status != 200) throw Failure(answer.body);
  const nlohmann::json none = {{"metadata", {{"finalizers", nullptr}}}};
  const auto freed = Api(desk.loop().node_kubeconfig()).merge_patch(path, none);
  if (freed.status != 200) throw Failure(freed.body);
  wait_until("the VMI to be gone", 10s, [&] { return desk.loop().api().get(path).status == 404; });
  running.far.reset();
  return Desk::end(running.client);
}

/// What the guest's side says once it has the device.
Outcome guest_says(Desk& desk, const std::string& bytes) {
  Running running(desk, {"--once", "demo"});
  running.far->send({.payload = bytes, .masked = false});
  return Desk::end(running.client);
}

}  // namespace

void add_running_situations(Situations& all) {
  all["the token expires while it runs"] = token_expires;
  all["the slot does not answer"] = [](Desk& desk) {
    Process client = desk.start_emulated({"demo"});
    const RawWebsocket silent = desk.node().accept_websocket();
    return Desk::end(client);
  };
  all["the guest's side rejects the device"] = [](Desk& desk) {
    return guest_says(desk, usbredir_packet(usbredir_filter_reject, 0, ""));
  };
  all["the guest's side breaks the protocol"] = [](Desk& desk) { return guest_says(desk, qemu_hello()); };
  all["the VMI is deleted while redirected"] = vmi_is_deleted;
  all["the connection is lost, with --once"] = [](Desk& desk) {
    Running running(desk, {"--once", "demo"});
    running.far.reset();
    return Desk::end(running.client);
  };
}

}  // namespace usbloop::e2e
