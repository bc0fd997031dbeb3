#include "common/log.h"
#include "kube-sim/http/request_steps.h"
#include "kube-sim/security/impersonation.h"

namespace usbloop::apiserver {
namespace {

tl::unexpected<kube::Status> refuse_identity(const Request& request, kube::Status status) {
  spdlog::info("{} {}: refused: {}", request.method, request.path, status.message);
  return tl::unexpected(std::move(status));
}

}  // namespace

tl::expected<Actor, kube::Status> impersonate_request(const Services& services, const std::optional<User>& caller,
                                                      const RequestHead& head) {
  if (!caller) return refuse_identity(head.request, kube::unauthorized());
  const Impersonation wanted = read_impersonation(head.fields);
  auto user = impersonate(*caller, wanted, services.authorizer);
  if (!user) return refuse_identity(head.request, std::move(user.error()));
  return Actor{std::move(*user), wanted.wanted()};
}

}  // namespace usbloop::apiserver
