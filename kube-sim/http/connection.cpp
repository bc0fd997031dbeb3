#include "kube-sim/http/connection.h"

#include <asio/use_awaitable.hpp>

#include "common/log.h"
#include "kube-sim/http/request_steps.h"
#include "kube-sim/observe/audit_event.h"

namespace usbloop::apiserver {
namespace {

/// Whether a body would be left behind the head: of methods that have none to read.
bool leaves_body(const RequestHead& head) { return head.body.present() && !has_body(head.request.method); }

}  // namespace

/// What of a request lives until it is over, for those who observe it. A stream keeps it for days, so it is no more
/// than that.
struct Connection::Served {
  explicit Served(RequestHead read) : head(std::move(read)) {}
  RequestHead head;
  RequestInfo info;
  std::optional<ObservedRequest> observed;
};

Connection::Connection(Services& services, net::StreamPtr stream, std::string client)
    : services_(services), stream_(std::move(stream)), client_(std::move(client)) {}

Connection::~Connection() = default;

void Connection::stop() {
  stopping_ = true;
  if (transport_ != nullptr) transport_->close();
  if (watch_ != nullptr) watch_->stop();
  if (idle_ && stream_) stream_->close();
}

void Connection::abort() {
  stopping_ = aborted_ = true;
  if (transport_ != nullptr) transport_->close();
  stream_ends_.cut();
  if (stream_) stream_->close();
}

asio::awaitable<void> Connection::run() {
  transport_ = stream_.get();
  auto tls = co_await net::tls_accept(services_.tls, std::move(stream_), services_.limits.tls_handshake);
  transport_ = nullptr;
  if (!tls) {
    services_.refusals.count(Refusal::tls);
    spdlog::debug("connection: {}", tls.error().message());
    co_return;
  }
  stream_ = std::move(*tls);
  certificate_ = net::peer_identity(*stream_);
  while (!stopping_) {
    idle_ = true;
    form_ = {};
    const auto length = co_await read_head();
    idle_ = false;
    if (!length || aborted_) break;
    std::string head_text = buffer_.substr(0, *length);
    buffer_.erase(0, *length);
    const Next next = co_await serve_request(std::move(head_text));
    if (next == Next::stream) {
      co_await open_stream_->run();
      observation_->answers(101);
      open_stream_.reset();
    }
    served_.reset();
    if (next != Next::keep) break;
  }
  if (!stream_) co_return;  // a stream has used it up
  stream_->shutdown_write();
  stream_->close();
}

asio::awaitable<Connection::Next> Connection::serve_request(std::string head_text) {
  auto head = read_request_head(head_text);
  std::string().swap(head_text);  // a watch or a stream lives for days
  if (!head) {
    spdlog::info("connection: refused a request: {}", head.error().message);
    services_.refusals.count(head.error().code == 413 ? Refusal::body_too_large : Refusal::bad_request);
    co_return co_await refuse(head.error());
  }
  served_ = std::make_unique<Served>(std::move(*head));
  RequestHead& arrived = served_->head;
  Request& request = arrived.request;
  form_ = {.audit_id = audit_id_of(arrived.fields),
           .only_head = request.method == "HEAD",
           .headers = services_.cors.headers_for(arrived.fields)};
  const bool keep_alive = arrived.keep_alive && !leaves_body(arrived);
  const bool is_preflight = request.method == "OPTIONS" && !form_.headers.empty();
  if (is_preflight) co_return co_await answer_preflight(keep_alive);
  const auto caller = authenticate_request(services_, certificate_, arrived);
  const auto actor = impersonate_request(services_, caller, arrived);
  if (actor) request.user = actor->user;
  const RequestInfo& info = served_->info = read_request_info(request);
  const Answerer answerer = answerer_of(request, info);
  auto& observed = served_->observed;
  observed.emplace(observation_, services_,
                   event_of(arrived, info, {client_, caller, actor && actor->impersonates}, answerer != Answerer::rest,
                            form_.audit_id));
  if (!actor) co_return co_await refuse(actor.error());
  spdlog::debug("{} {} by {}", request.method, arrived.fields.target, request.user.name);
  Authorization authorization = authorize_request(services_, request, info);
  observed->observation().decides(std::move(authorization.decision));
  const Arrival arrival{arrived, info, *caller, std::move(authorization.refused), answerer, keep_alive};
  co_return co_await dispatch(arrival);
}

}  // namespace usbloop::apiserver
