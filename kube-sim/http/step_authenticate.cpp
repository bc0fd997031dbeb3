#include "kube-sim/http/request_steps.h"

namespace usbloop::apiserver {

std::optional<User> authenticate_request(const Services& services, const net::PeerIdentity& certificate,
                                         RequestHead& head) {
  const SubprotocolToken token = take_subprotocol_token(head.fields);
  return services.authenticator.authenticate(head.fields.header("Authorization"), certificate, head.request.path,
                                             token);
}

}  // namespace usbloop::apiserver
