#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apiserver-sim/api/http_types.h"
#include "common/net/stream.h"

namespace usbloop::apiserver {

/// Reads one HTTP request and makes the response's bytes, with cpp-httplib's server. The only file that knows that
/// library, and the differences of its versions. One engine serves one connection, from one thread at a time.
class RestEngine {
 public:
  using Handler = std::function<Response(const Request&)>;
  explicit RestEngine(Handler handler);
  ~RestEngine();
  RestEngine(const RestEngine&) = delete;
  RestEngine& operator=(const RestEngine&) = delete;

  struct Served {
    bool keep = false;   ///< false: the connection has to be closed
    int code = 0;        ///< HTTP status of the answer; 0: there was none
    std::string output;  ///< the whole response, still to be sent
  };
  /// `buffered` holds the request's head and whatever was read behind it; what belongs to the next request stays in it.
  /// Blocks only for a body that is not complete in `buffered`: then the rest is read from the stream, for at most half
  /// a minute, and the stream must not be in use by a coroutine.
  /// `audit_id` goes into the answer's header Audit-Id.
  Served serve(net::Stream& stream, std::string& buffered, const User& user, const std::string& audit_id);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace usbloop::apiserver
