#pragma once

#include <asio/thread_pool.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <vector>

#include "common/net/tls.h"
#include "kube-sim/http/cors.h"
#include "kube-sim/http/keyed_limit.h"
#include "kube-sim/http/refusals.h"
#include "kube-sim/http/stream_subresource.h"
#include "kube-sim/observe/request_observer.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/rest/api_handler.h"
#include "kube-sim/security/authenticator.h"
#include "kube-sim/security/authorizer.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// What one client may use up.
struct Limits {
  std::size_t connections = 10'000;
  std::size_t connections_per_address = 8'000;  ///< one client machine leaves room for the others
  std::size_t watches = 5'000;
  std::size_t requests_in_flight = 400;            ///< waiting for a worker or with one; kube-apiserver's number
  std::size_t bodies = 400;                        ///< bodies on their way
  std::size_t bodies_per_user = 100;               ///< one user leaves room for the others
  std::size_t unread_bytes = 256UL * 1024 * 1024;  ///< responses that clients have yet to read, all together
  std::chrono::milliseconds tls_handshake{10'000};
  std::chrono::milliseconds head{10'000};       ///< from a head's first byte to its end
  std::chrono::milliseconds body{30'000};       ///< from a body's first byte to its end
  std::chrono::milliseconds response{30'000};   ///< for the client to take a response
  std::chrono::milliseconds idle{120'000};      ///< between requests
  std::chrono::milliseconds stop_grace{1'000};  ///< for requests and streams when the server stops
};

/// What every connection works with. The references outlive all connections.
struct Services {
  const Registry& registry;
  Store& store;
  WatchHub& hub;
  const Authenticator& authenticator;
  const Authorizer& authorizer;
  ApiHandler& api;
  StreamSubresource& streams;
  const net::TlsContext& tls;
  asio::thread_pool& workers;       ///< for requests whose body has come: nothing waits for a client there
  asio::thread_pool& node_workers;  ///< for those that wait for a node, whose controller needs the others meanwhile
  Limits limits;
  std::chrono::microseconds busy_poll;           ///< while there are streams (http/busy_poll.h)
  std::vector<RequestObserver*> observers = {};  ///< not changed while connections live
  Cors cors = {};                                ///< not changed while connections live
  Refusals refusals = {};
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> watches = 0;
  std::atomic<std::size_t> requests_in_flight = 0;
  std::atomic<std::size_t> bodies = 0;
  KeyedLimit user_bodies{limits.bodies_per_user};
  std::atomic<std::size_t> unread_bytes = 0;
};

}  // namespace usbloop::apiserver
