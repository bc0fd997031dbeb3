#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "common/net/tls.h"
#include "kube-sim/http/request_head.h"
#include "kube-sim/http/services.h"

// The steps of a request between its head and its answer, in their order. Each is taken here and nowhere else; the
// bodies are read in connection_body.cpp, and connection_dispatch.cpp finds who answers.
namespace usbloop::apiserver {

// step_authenticate.cpp

/// Who sends the request; nothing when the credentials are wrong. Takes those out of the head that nobody behind this
/// step is to see.
std::optional<User> authenticate_request(const Services& services, const net::PeerIdentity& certificate,
                                         RequestHead& head);

// step_impersonate.cpp

struct Actor {
  User user;
  bool impersonates = false;  ///< the user is somebody else than the caller
};
/// Whom the request acts as. The refusal: 401 without a caller, 403 when he may not be who he wants to be.
tl::expected<Actor, kube::Status> impersonate_request(const Services& services, const std::optional<User>& caller,
                                                      const RequestHead& head);

// step_observe.cpp

/// What the observers are told of a request before it is decided.
struct Sender {
  const std::string& client;  ///< address and port of the other end
  const std::optional<User>& caller;
  bool impersonates;
};
/// Tells the observers of a request from here to the end of this object, and its connection that they are told.
/// Everything given is borrowed.
class ObservedRequest {
 public:
  ObservedRequest(Observation*& place, const Services& services, RequestEvent event)
      : observation_(services.observers, std::move(event)), place_(place) {
    place_ = &observation_;
  }
  ~ObservedRequest() { place_ = nullptr; }
  ObservedRequest(const ObservedRequest&) = delete;
  ObservedRequest& operator=(const ObservedRequest&) = delete;
  Observation& observation() { return observation_; }

 private:
  Observation observation_;
  Observation*& place_;
};
RequestEvent event_of(const RequestHead& head, const RequestInfo& info, const Sender& sender, bool long_running,
                      const std::string& audit_id);

// step_authorize.cpp

struct Authorization {
  Decision decision;
  std::optional<kube::Status> refused;  ///< the decision is no
};
/// Whether the request's user may send it.
Authorization authorize_request(const Services& services, const Request& request, const RequestInfo& info);

}  // namespace usbloop::apiserver
