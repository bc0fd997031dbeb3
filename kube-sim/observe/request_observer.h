#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/http/head.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/security/authorizer.h"

namespace usbloop::apiserver {

/// One request, as observers see it that count or record requests. Everything is borrowed and lives until ended()
/// returns.
struct RequestEvent {
  const http::Head& head;
  const Request& request;  ///< with the user; its name is empty when the credentials were refused. Never with a body
  const RequestInfo& info;
  const std::string& client;  ///< address and port of the other end of the connection
  bool long_running = false;  ///< a watch or a relay
  std::chrono::system_clock::time_point received;
  std::chrono::steady_clock::time_point begun;  ///< the same moment, for durations
  int code = 0;                                 ///< HTTP status of the answer; 0: none was sent (yet)
  User caller = {};                             ///< who sent the request; its name is empty when nobody was believed
  bool impersonates = false;                    ///< request.user is somebody else than the caller
  std::string audit_id = {};
  std::optional<Decision> decision = {};  ///< once there is one
};

/// Hears of every request whose head could be read, refused ones among them. Called from the threads of the
/// connections: be quick and thread-safe, and throw nothing.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  /// The head has been read and the user is known.
  virtual void began(const RequestEvent& event) = 0;
  /// Long-running requests only: the answer's head goes out now, `code` is set.
  virtual void started(const RequestEvent& event) = 0;
  /// Watches only: so many events have been written to the client.
  virtual void sent(const RequestEvent& event, std::size_t events) = 0;
  /// The answer is out, or the client has gone.
  virtual void ended(const RequestEvent& event) = 0;
};

/// The life of one request, told to its observers: begins and ends with this object.
class Observation {
 public:
  /// The observers outlive this object.
  Observation(const std::vector<RequestObserver*>& observers, RequestEvent event)
      : observers_(observers), event_(std::move(event)) {
    event_.received = std::chrono::system_clock::now();
    event_.begun = std::chrono::steady_clock::now();
    for (RequestObserver* observer : observers_) observer->began(event_);
  }
  ~Observation() {
    for (RequestObserver* observer : observers_) observer->ended(event_);
  }
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  void decides(Decision decision) { event_.decision = std::move(decision); }
  void answers(int code) { event_.code = code; }
  void starts(int code) {
    event_.code = code;
    for (RequestObserver* observer : observers_) observer->started(event_);
  }

  void sends(std::size_t events) {
    for (RequestObserver* observer : observers_) observer->sent(event_, events);
  }

 private:
  const std::vector<RequestObserver*>& observers_;
  RequestEvent event_;
};

}  // namespace usbloop::apiserver
