#pragma once

#include <asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "kube-sim/http/request_body.h"
#include "kube-sim/http/request_head.h"
#include "kube-sim/http/response_text.h"
#include "kube-sim/http/services.h"
#include "kube-sim/http/stream_subresource.h"
#include "kube-sim/http/watch_session.h"

namespace usbloop::apiserver {

/// One client's connection from the TLS handshake to its end. Every request takes the same steps, each once: its head
/// is read, it is said who sends it and as whom, the observers are told, it is decided whether he may, its body is
/// read, and it is given to who answers: a watch, a stream, or the API's logic (request_steps.h says where). Lives in
/// the thread of its stream, and nothing else waits for the client; whatever it does ends this connection only.
class Connection {
 public:
  /// `client`: address and port of the other end.
  Connection(Services& services, net::StreamPtr stream, std::string client);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> run();

  /// Asks for an orderly end: idle connections close, watches end, requests finish.
  void stop();
  /// Closes at once.
  void abort();

 private:
  enum class Next {
    keep,
    close,
    stream  ///< open_stream_ is to run, when the frames of its request have gone
  };
  enum class Read { came, ended, late };
  /// Who answers a request.
  enum class Answerer { rest, watch, stream };
  struct Served;
  /// A request whose head has been read and of which it is decided whether it may be made, in the frame of
  /// serve_request.
  struct Arrival {
    const RequestHead& head;
    const RequestInfo& info;
    const User& caller;                   ///< who sends it; head.request.user is whom the caller acts as
    std::optional<kube::Status> refused;  ///< the authorizer says no
    Answerer answerer;
    bool keep_alive;
  };

  // connection_read.cpp: what comes, and the heads in it.

  /// A head complete in buffer_; its length. Nothing when the connection has ended or was refused.
  asio::awaitable<std::optional<std::size_t>> read_head();
  /// Why what is in buffer_ cannot become a head; nothing when it can.
  std::optional<kube::Status> refuse_beginning();
  asio::awaitable<Read> read_more(std::chrono::milliseconds time);
  net::IoResult take();
  using Clock = std::chrono::steady_clock;
  static std::chrono::milliseconds time_until(Clock::time_point end);

  // connection_body.cpp: what comes behind a head.

  /// The whole body out of buffer_ and the stream; the refusal when it may not come or does not.
  asio::awaitable<tl::expected<std::string, kube::Status>> read_body(const Arrival& arrival);
  /// Reads on until the end of the body, within the time for bodies; 429 when too many are on their way already.
  asio::awaitable<tl::expected<RequestBody::State, kube::Status>> await_body(const Arrival& arrival, RequestBody& body);

  // connection.cpp: the steps.

  asio::awaitable<Next> serve_request(std::string head_text);

  // connection_dispatch.cpp: who answers.

  [[nodiscard]] Answerer answerer_of(const Request& request, const RequestInfo& info) const;
  asio::awaitable<Next> dispatch(const Arrival& arrival);
  asio::awaitable<Next> serve_rest(const Arrival& arrival);
  asio::awaitable<Next> work(const Arrival& arrival, std::string body);
  asio::awaitable<Next> serve_watch(const Arrival& arrival);
  asio::awaitable<Next> serve_websocket(const Arrival& arrival);

  // connection_answer.cpp: what goes out.

  asio::awaitable<bool> send(const std::string& text);
  asio::awaitable<Next> answer(const Response& response, bool keep_alive);
  /// Tells a browser what its page may send: nobody is asked who he is for that.
  asio::awaitable<Next> answer_preflight(bool keep_alive);
  /// Answers and ends: what the client still sends is read for a moment, so that it gets to see the answer.
  asio::awaitable<Next> refuse(kube::Status status);

  Services& services_;
  net::StreamPtr stream_;
  const std::string client_;  ///< address and port of the other end
  std::string buffer_;        ///< read and not yet used
  net::PeerIdentity certificate_;
  net::Stream* transport_ = nullptr;    ///< while TLS is being agreed on: the stream below, owned by tls_accept
  StreamEnds stream_ends_;              ///< while a stream is being set up or runs
  WatchSession* watch_ = nullptr;       ///< while one runs
  AnswerForm form_;                     ///< for the request that is being served
  Observation* observation_ = nullptr;  ///< of the request that is being served
  std::unique_ptr<Served> served_;      ///< that request
  std::unique_ptr<OpenStream> open_stream_;
  bool stopping_ = false;
  bool idle_ = true;  ///< waiting for a request
  bool aborted_ = false;
};

}  // namespace usbloop::apiserver
