#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "kube-sim/http/request_body.h"
#include "kube-sim/http/request_head.h"
#include "kube-sim/http/services.h"
#include "kube-sim/http/watch_session.h"

namespace usbloop::apiserver {

/// One client's connection from the TLS handshake to its end: reads a head, authenticates, and lets a watch or a relay
/// have the rest, or reads the body and gives both to the REST engine. Lives in the thread of its stream, and nothing
/// else waits for the client; whatever it does ends this connection only.
class Connection {
 public:
  /// `client`: address and port of the other end.
  Connection(Services& services, net::StreamPtr stream, std::string client);

  asio::awaitable<void> run();

  /// Asks for an orderly end: idle connections close, watches end, requests finish.
  void stop();
  /// Closes at once.
  void abort();

 private:
  enum class Next { keep, close };
  enum class Read { came, ended, late };
  /// A request whose head has been read and whose user is known, in the frame of serve_request.
  struct Arrival {
    const RequestHead& head;
    const RequestInfo& info;
    const User& caller;  ///< who sends it; head.request.user is whom the caller acts as
    bool keep_alive;
  };

  /// A head complete in buffer_; its length. Nothing when the connection has ended or was refused.
  asio::awaitable<std::optional<std::size_t>> read_head();
  asio::awaitable<Read> read_more(std::chrono::milliseconds time);
  net::IoResult take();
  asio::awaitable<Next> serve_request(std::string head_text);
  /// A watch, or a websocket.
  asio::awaitable<Next> serve_stream(const Arrival& arrival);
  asio::awaitable<Next> serve_rest(const Arrival& arrival);
  /// The whole body out of buffer_ and the stream; the refusal when it may not come or does not.
  asio::awaitable<tl::expected<std::string, kube::Status>> read_body(const Arrival& arrival);
  /// Reads on until the end of the body, within the time for bodies; 429 when too many are on their way already.
  asio::awaitable<tl::expected<RequestBody::State, kube::Status>> await_body(const Arrival& arrival, RequestBody& body);
  asio::awaitable<Next> work(const Arrival& arrival, std::string body);
  asio::awaitable<bool> send(const std::string& text);
  asio::awaitable<Next> serve_watch(const Request& request, const RequestInfo& info, bool keep_alive);
  asio::awaitable<Next> serve_websocket(const websocket::Head& head, const RequestInfo& info, bool keep_alive);
  asio::awaitable<Next> answer(const Response& response, bool keep_alive);
  /// Answers and ends: what the client still sends is read for a moment, so that it gets to see the answer.
  asio::awaitable<Next> refuse(kube::Status status);

  Services& services_;
  net::StreamPtr stream_;
  const std::string client_;  ///< address and port of the other end
  std::string buffer_;        ///< read and not yet used
  net::PeerIdentity certificate_;
  std::unique_ptr<class RestEngine> engine_;  ///< made with the first REST request
  net::Stream* transport_ = nullptr;          ///< while TLS is being agreed on: the stream below, owned by tls_accept
  StreamEnds stream_ends_;                    ///< while a stream is being set up or runs
  WatchSession* watch_ = nullptr;             ///< while one runs
  std::string audit_id_;                      ///< of the request that is being served
  Observation* observation_ = nullptr;        ///< of the request that is being served
  bool stopping_ = false;
  bool idle_ = true;  ///< waiting for a request
  bool aborted_ = false;

 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
};

}  // namespace usbloop::apiserver
