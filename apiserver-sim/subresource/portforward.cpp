#include "apiserver-sim/subresource/portforward.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/subresource/refusals.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

/// "22" of "portforward/22/tcp", and "tcp" behind it, which is the default.
std::pair<std::string, std::string> port_and_protocol(const std::string& subresource) {
  const std::string rest = subresource.substr(subresource.find('/') + 1);
  const auto slash = rest.find('/');
  return {rest.substr(0, slash), slash == std::string::npos ? "tcp" : rest.substr(slash + 1)};
}

}  // namespace

Response portforward_vmi(const Registry& /*registry*/, Store& store, const Request& /*request*/,
                         const RequestInfo& info) {
  const auto vmi = find_vmi(store, info.namespace_, info.name);
  if (!vmi) return answer_refusal(vmi.error());
  if (const auto refused = check_portforward(*vmi)) return answer_refusal(*refused);
  const std::string address = text_at(*vmi, "/status/interfaces/0/ipAddress");
  if (address.empty()) return answer_refusal(kube::bad_request("no network interfaces are present"));
  // Somebody wrote an address into the status, but no network leads to it.
  const auto [port, protocol] = port_and_protocol(info.subresource);
  return answer_refusal(kube::internal_error("dialing VM: dial " + protocol + " " + address + ":" + port +
                                             ": connect: no route to host"));
}

}  // namespace usbloop::apiserver
