#pragma once

#include <string>

#include "common/http/head.h"

namespace usbloop::apiserver {

/// A bearer token in the place where a browser can put one: a websocket's subprotocol
/// `base64url.bearer.authorization.k8s.io.TOKEN`, beside at least one other.
struct SubprotocolToken {
  bool present = false;  ///< the request carries one, good or not
  bool valid = false;    ///< the only one, base64url without padding, of UTF-8, and not alone
  std::string token;     ///< only when valid; not empty
};

/// Takes such subprotocols out of a request's head, so that no code behind the authenticator sees, logs or chooses one.
/// A request that is no websocket upgrade loses them too, and its tokens count for nothing.
SubprotocolToken take_subprotocol_token(http::Head& head);

}  // namespace usbloop::apiserver
