#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/websocket/handshake.h"
#include "kube-sim/request/http_types.h"

namespace usbloop::apiserver {

/// Makes the whole response to one whole request, with cpp-httplib's server. The only file that knows that library, and
/// the differences of its versions. One engine serves one connection, from one thread at a time.
class RestEngine {
 public:
  using Handler = std::function<Response(const Request&)>;
  explicit RestEngine(Handler handler);
  ~RestEngine();
  RestEngine(const RestEngine&) = delete;
  RestEngine& operator=(const RestEngine&) = delete;

  /// A request that has come whole. What it refers to outlives the call.
  struct Work {
    const websocket::Head& head;
    std::string_view body;
    const User& user;
    const std::string& audit_id;  ///< for the answer's header Audit-Id
    bool keep_alive;              ///< whether the connection goes on after the answer, which then says so
  };
  struct Served {
    bool keep = false;   ///< false: the connection has to be closed
    int code = 0;        ///< HTTP status of the answer; 0: there was none
    std::string output;  ///< the whole response, still to be sent
  };
  /// Never waits for the client. The library gets a head that is made anew, of what is needed here: what it would read
  /// in another way than we have (lengths, codings, odd lines) does not reach it.
  Served serve(const Work& work);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace usbloop::apiserver
