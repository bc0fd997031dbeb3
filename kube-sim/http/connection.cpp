#include "kube-sim/http/connection.h"

#include <asio/use_awaitable.hpp>

#include "common/log.h"
#include "kube-sim/observe/audit_event.h"
#include "kube-sim/security/impersonation.h"

namespace usbloop::apiserver {
namespace {

/// Makes the observation of the present request known to its connection.
class Observed {
 public:
  Observed(Observation*& place, Observation& observation) : place_(place) { place_ = &observation; }
  ~Observed() { place_ = nullptr; }
  Observed(const Observed&) = delete;
  Observed& operator=(const Observed&) = delete;

 private:
  Observation*& place_;
};

/// Whether a body would be left behind the head: of methods that have none to read.
bool leaves_body(const RequestHead& head) { return head.body.present() && !has_body(head.request.method); }

/// Who sends a request, and as whom.
struct Identity {
  std::optional<User> caller;                ///< nobody when the credentials are wrong
  tl::expected<User, kube::Status> acts_as;  ///< or the refusal
  bool impersonates = false;
};

/// Takes the credentials that are not to be seen any more out of the head.
Identity identify(const Services& services, const net::PeerIdentity& certificate, RequestHead& head) {
  const SubprotocolToken token = take_subprotocol_token(head.fields);
  auto caller =
      services.authenticator.authenticate(head.fields.header("Authorization"), certificate, head.request.path, token);
  if (!caller) return {std::nullopt, tl::unexpected(kube::unauthorized()), false};
  const Impersonation wanted = read_impersonation(head.fields);
  auto acts_as = impersonate(*caller, wanted, services.authorizer);
  const bool impersonates = acts_as && wanted.wanted();
  return {std::move(caller), std::move(acts_as), impersonates};
}

}  // namespace

bool is_watch(const Request& request, const RequestInfo& info) {
  return info.is_resource && info.verb == "watch" && request.method == "GET";
}

Connection::Connection(Services& services, net::StreamPtr stream, std::string client)
    : services_(services), stream_(std::move(stream)), client_(std::move(client)) {}

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
    if (next == Next::close) break;
  }
  if (!stream_) co_return;  // a stream has used it up
  stream_->shutdown_write();
  stream_->close();
}

asio::awaitable<Connection::Next> Connection::serve_request(std::string head_text) {
  auto head = read_request_head(head_text);
  if (!head) {
    spdlog::info("connection: refused a request: {}", head.error().message);
    services_.refusals.count(head.error().code == 413 ? Refusal::body_too_large : Refusal::bad_request);
    co_return co_await refuse(head.error());
  }
  Request& request = head->request;
  form_ = {.audit_id = audit_id_of(head->fields), .only_head = request.method == "HEAD"};
  const Identity who = identify(services_, certificate_, *head);
  if (who.acts_as) request.user = *who.acts_as;
  const RequestInfo info = read_request_info(request);
  const bool streams = services_.streams.find(request.method, info) || is_watch(request, info);
  Observation observation(services_.observers, {head->fields,
                                                request,
                                                info,
                                                client_,
                                                streams,
                                                {},
                                                {},
                                                0,
                                                who.caller.value_or(User()),
                                                who.impersonates,
                                                form_.audit_id});
  const Observed observed(observation_, observation);
  if (!who.acts_as) {
    spdlog::info("{} {}: refused: {}", request.method, request.path, who.acts_as.error().message);
    co_return co_await refuse(who.acts_as.error());
  }
  spdlog::debug("{} {} by {}", request.method, head->fields.target, request.user.name);
  Arrival arrival{*head, info, *who.caller, std::nullopt, head->keep_alive && !leaves_body(*head)};
  const Attributes attributes = attributes_of(info);
  Decision decision = services_.authorizer.authorize(request.user, attributes);
  if (!decision.allowed) {
    arrival.refused = forbidden_status(request.user, attributes, decision.reason);
    spdlog::info("{} {} by {}: {}", request.method, request.path, request.user.name, arrival.refused->message);
  }
  observation.decides(std::move(decision));
  co_return co_await dispatch(arrival);
}

}  // namespace usbloop::apiserver
