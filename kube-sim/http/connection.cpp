#include "kube-sim/http/connection.h"

#include <algorithm>
#include <array>
#include <asio/use_awaitable.hpp>

#include "common/log.h"
#include "common/net/deadline.h"
#include "kube-sim/http/place.h"
#include "kube-sim/http/response_text.h"
#include "kube-sim/http/rest_engine.h"
#include "kube-sim/observe/audit_event.h"
#include "kube-sim/rest/routes.h"
#include "kube-sim/security/impersonation.h"

namespace usbloop::apiserver {
namespace {

using Clock = std::chrono::steady_clock;

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

bool is_watch(const Request& request, const RequestInfo& info) {
  return info.is_resource && info.verb == "watch" && request.method == "GET";
}

/// Clients keep 1024 bytes of the body of a refused handshake (wire.md section 11): long names are cut.
void fit_into_handshake(kube::Status& status) {
  constexpr std::size_t kMostBytes = 1023;  // and a newline
  while (kube::body(status).size() > kMostBytes && !(status.message.empty() && status.details_name.empty())) {
    for (std::string* text : {&status.message, &status.details_name}) {
      text->resize(text->size() - std::min(text->size(), text->size() / 8 + 1));
    }
  }
}

}  // namespace

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

/// Reads what is there. No coroutine, so that the bytes' room is on the stack: an idle connection has none.
net::IoResult Connection::take() {
  std::array<std::byte, 16'384> bytes{};
  const net::IoResult result = stream_->try_read(bytes);
  if (result.status == net::IoStatus::ok) buffer_.append(reinterpret_cast<const char*>(bytes.data()), result.bytes);
  return result;
}

asio::awaitable<Connection::Read> Connection::read_more(std::chrono::milliseconds time) {
  if (time.count() <= 0) co_return Read::late;
  const net::Deadline deadline(stream_->socket().get_executor(), time, [this] { stream_->close(); });
  while (true) {
    const net::IoResult result = take();
    if (result.status == net::IoStatus::ok) co_return Read::came;
    if (result.status == net::IoStatus::end || result.status == net::IoStatus::failed) co_return Read::ended;
    const auto ready = co_await stream_->wait(result.status);
    if (!ready) co_return deadline.expired() ? Read::late : Read::ended;
  }
}

asio::awaitable<std::optional<std::size_t>> Connection::read_head() {
  if (buffer_.empty()) {
    std::string().swap(buffer_);  // a large body's room is not kept while nothing comes
    const Read first = co_await read_more(services_.limits.idle);
    if (first == Read::late) services_.refusals.count(Refusal::idle);
    if (first != Read::came) co_return std::nullopt;
  }
  const auto end = Clock::now() + services_.limits.head;
  while (true) {
    idle_ = false;
    const auto length = websocket::head_length(buffer_);
    if (length && *length <= websocket::kMaxHeadBytes) co_return length;
    if (buffer_.size() > websocket::kMaxHeadBytes) {
      spdlog::info("connection: refused a request head of more than {} bytes", websocket::kMaxHeadBytes);
      services_.refusals.count(Refusal::head_too_large);
      const kube::Status status = kube::request_header_too_large();
      co_await refuse(status);
      co_return std::nullopt;
    }
    if (!may_become_head(buffer_)) {
      services_.refusals.count(Refusal::bad_request);
      const kube::Status status = kube::bad_request("the request is not valid HTTP/1.1");
      co_await refuse(status);
      co_return std::nullopt;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    const Read more = co_await read_more(left);
    if (more == Read::late) services_.refusals.count(Refusal::slow_head);
    if (more != Read::came) {
      spdlog::debug("connection: ended within a request head");
      co_return std::nullopt;
    }
  }
}

asio::awaitable<Connection::Next> Connection::serve_request(std::string head_text) {
  auto head = read_request_head(head_text);
  if (!head) {
    spdlog::info("connection: refused a request: {}", head.error().message);
    services_.refusals.count(head.error().code == 413 ? Refusal::body_too_large : Refusal::bad_request);
    co_return co_await refuse(head.error());
  }
  Request& request = head->request;
  audit_id_ = audit_id_of(head->fields);
  const SubprotocolToken token = take_subprotocol_token(head->fields);
  const auto caller =
      services_.authenticator.authenticate(head->fields.header("Authorization"), certificate_, request.path, token);
  const Impersonation wanted = read_impersonation(head_text);
  tl::expected<User, kube::Status> user = tl::unexpected(kube::unauthorized());
  if (caller) user = impersonate(*caller, wanted, services_.authorizer);
  if (user) request.user = *user;
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
                                                caller.value_or(User()),
                                                user && wanted.wanted(),
                                                audit_id_});
  const Observed observed(observation_, observation);
  if (!user) {
    spdlog::info("{} {}: refused: {}", request.method, request.path, user.error().message);
    co_return co_await refuse(user.error());
  }
  spdlog::debug("{} {} by {}", request.method, head->fields.target, user->name);
  const Arrival arrival{*head, info, *caller, head->keep_alive && !leaves_body(*head)};
  if (streams) co_return co_await serve_stream(arrival);
  co_return co_await serve_rest(arrival);
}

asio::awaitable<Connection::Next> Connection::serve_stream(const Arrival& arrival) {
  const Request& request = arrival.head.request;
  const Attributes attributes = attributes_of(arrival.info);
  const Decision decision = services_.authorizer.authorize(request.user, attributes);
  observation_->decides(decision);
  const bool watch = is_watch(request, arrival.info);
  if (!decision.allowed) {
    kube::Status refused = forbidden_status(request.user, attributes, decision.reason);
    if (!watch) fit_into_handshake(refused);
    spdlog::info("{} {}: {}", request.method, request.path, refused.message);
    co_return co_await refuse(std::move(refused));
  }
  if (watch) co_return co_await serve_watch(request, arrival.info, arrival.keep_alive);
  co_return co_await serve_websocket(arrival.head.fields, arrival.info, arrival.keep_alive);
}

asio::awaitable<bool> Connection::send(const std::string& text) {
  services_.unread_bytes += text.size();
  const net::Deadline deadline(stream_->socket().get_executor(), services_.limits.response,
                               [this] { stream_->close(); });
  const auto written = co_await stream_->write_all(std::as_bytes(std::span(text)));
  services_.unread_bytes -= text.size();
  if (deadline.expired()) services_.refusals.count(Refusal::slow_reader);
  co_return written.has_value();
}

asio::awaitable<Connection::Next> Connection::serve_watch(const Request& request, const RequestInfo& info,
                                                          bool keep_alive) {
  const ResourcePtr resource = services_.registry.find(info.group, info.version, info.resource);
  if (auto refused = refuse_route(resource.get(), request, info)) co_return co_await answer(*refused, keep_alive);
  auto spec = read_watch(services_.registry, services_.store, request, info);
  if (!spec) {
    const Response response = answer_status(spec.error());
    co_return co_await answer(response, keep_alive);
  }
  const Place place(services_.watches, services_.limits.watches);
  if (!place) {
    spdlog::info("refused a watch: {} run already", services_.limits.watches);
    services_.refusals.count(Refusal::watches);
    const Response response = answer_status(kube::too_many_requests(1));
    co_return co_await answer(response, keep_alive);
  }
  spec->audit_id = audit_id_;
  WatchSession session(*stream_, std::move(*spec), services_.store, services_.hub,
                       [this](std::size_t events) { observation_->sends(events); });
  watch_ = &session;
  observation_->starts(200);
  co_await session.run();
  watch_ = nullptr;
  if (session.cut()) services_.refusals.count(Refusal::slow_reader);
  co_return Next::close;
}

asio::awaitable<Connection::Next> Connection::serve_websocket(const websocket::Head& head, const RequestInfo& info,
                                                              bool keep_alive) {
  std::string leftover = buffer_;
  const auto refusal = co_await services_.streams.serve(stream_, head, info, std::move(leftover), stream_ends_);
  if (!refusal) {
    observation_->answers(101);
    co_return Next::close;
  }
  co_return co_await answer(*refusal, keep_alive);
}

asio::awaitable<Connection::Next> Connection::answer(const Response& response, bool keep_alive) {
  if (observation_ != nullptr) observation_->answers(response.code);
  Response tagged = response;
  if (!audit_id_.empty()) tagged.headers.emplace_back("Audit-Id", audit_id_);
  const std::string text = response_text(tagged, keep_alive);
  const bool sent = co_await send(text);
  co_return sent&& keep_alive ? Next::keep : Next::close;
}

asio::awaitable<Connection::Next> Connection::refuse(kube::Status status) {
  constexpr std::chrono::milliseconds kPatience{500};
  constexpr std::size_t kMostDrained = 4 * 1024 * 1024;
  const Response response = answer_status(status);
  co_await answer(response, false);
  stream_->shutdown_write();
  const net::Deadline deadline(stream_->socket().get_executor(), kPatience, [this] { stream_->close(); });
  std::array<std::byte, 8192> bytes{};
  for (std::size_t drained = 0; drained < kMostDrained;) {
    const auto count = co_await stream_->read_some(bytes);
    if (!count || *count == 0) break;
    drained += *count;
  }
  co_return Next::close;
}

}  // namespace usbloop::apiserver
