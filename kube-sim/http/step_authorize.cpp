#include "common/log.h"
#include "kube-sim/http/request_steps.h"

namespace usbloop::apiserver {

Authorization authorize_request(const Services& services, const Request& request, const RequestInfo& info) {
  const Attributes attributes = attributes_of(info);
  Authorization made{services.authorizer.authorize(request.user, attributes), std::nullopt};
  if (made.decision.allowed) return made;
  made.refused = forbidden_status(request.user, attributes, made.decision.reason);
  spdlog::info("{} {} by {}: {}", request.method, request.path, request.user.name, made.refused->message);
  return made;
}

}  // namespace usbloop::apiserver
