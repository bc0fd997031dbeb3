#pragma once

#include <memory>
#include <optional>

#include "common/http/head.h"
#include "kube-sim/http/watch_framing.h"
#include "kube-sim/request/http_types.h"

// A watch as a websocket, as kube-apiserver serves it (wire.md section 7): each event is a text message.
namespace usbloop::apiserver {

/// Whether the request asks for a websocket. One that asks for another upgrade, or for several, is served without.
bool asks_for_websocket(const http::Head& request);

/// The answer to a handshake that kube-apiserver refuses on a watch, which ends the connection: 400 without a key, for
/// another version than 13 and for more than one subprotocol, 403 without an Origin that is a URL. Nothing for a good
/// one.
std::optional<Response> refuse_watch_handshake(const http::Head& request);

/// `request`: its handshake is good. The subprotocol that it offers is the one that is chosen, whatever it is. What the
/// client says is ignored, its pings are answered, and its Close ends the watch.
std::unique_ptr<WatchFraming> websocket_framing(const http::Head& request);

}  // namespace usbloop::apiserver
