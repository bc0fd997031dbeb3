#include "apiserver-sim/http/connection.h"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include "apiserver-sim/api/codec.h"
#include "apiserver-sim/audit/audit_event.h"
#include "apiserver-sim/http/rest_engine.h"
#include "apiserver-sim/security/impersonation.h"
#include "apiserver-sim/subresource/subresource_table.h"
#include "common/log.h"
#include "common/net/deadline.h"

namespace usbloop::apiserver {
namespace {

using Clock = std::chrono::steady_clock;

/// Takes a place in a counter that has a limit, and gives it back.
class Place {
 public:
  Place(std::atomic<std::size_t>& counter, std::size_t limit) : counter_(counter), taken_(++counter <= limit) {}
  ~Place() { --counter_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  explicit operator bool() const { return taken_; }

 private:
  std::atomic<std::size_t>& counter_;
  bool taken_;
};

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

/// The methods that cpp-httplib reads a body with; with others a body would be taken for the next request.
bool reads_body(const Request& request, const BodyInfo& body) {
  const std::string& method = request.method;
  return method == "POST" || method == "PUT" || method == "PATCH" || (method == "DELETE" && !body.chunked);
}

bool known_method(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "POST" || method == "PUT" || method == "PATCH" ||
         method == "DELETE" || method == "OPTIONS";
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
  if (idle_ && !on_worker_ && stream_) stream_->close();
}

void Connection::abort() {
  stopping_ = aborted_ = true;
  if (transport_ != nullptr) transport_->close();
  relay_peer_.cut();
  // A worker's socket is only shut down: closing it would give its number to another connection under the worker.
  if (!stream_) return;
  if (on_worker_) {
    asio::error_code ignored;
    stream_->socket().shutdown(asio::socket_base::shutdown_both, ignored);
  } else {
    stream_->close();
  }
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
    const Next next = co_await serve_request(*length);
    if (next == Next::close) break;
  }
  if (!stream_) co_return;  // a relay has used it up
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
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    const Read more = co_await read_more(left);
    if (more == Read::late) services_.refusals.count(Refusal::slow_head);
    if (more != Read::came) {
      spdlog::debug("connection: ended within a request head");
      co_return std::nullopt;
    }
  }
}

asio::awaitable<Connection::Next> Connection::serve_request(std::size_t head_length) {
  const std::string head_text = buffer_.substr(0, head_length);
  const auto head = websocket::parse_request_head(head_text);
  // The parser has a limit of its own for announced bodies, above ours.
  if (!head && head.error().cause.find("body too large") != std::string::npos) {
    services_.refusals.count(Refusal::body_too_large);
    co_return co_await refuse(kube::request_entity_too_large(kMaxBodyBytes));
  }
  if (!head || !known_method(head->method)) {
    spdlog::info("connection: refused what is no HTTP request");
    services_.refusals.count(Refusal::bad_request);
    co_return co_await refuse(kube::bad_request("the request is not valid HTTP/1.1"));
  }
  auto request = request_of(*head);
  const BodyInfo body = body_of(*head);
  if (!request || !body.valid) {
    services_.refusals.count(Refusal::bad_request);
    co_return co_await refuse(kube::bad_request("the request is not valid"));
  }
  if (!body.chunked && body.length > kMaxBodyBytes) {
    spdlog::info("{} {}: refused a body of {} bytes", request->method, request->path, body.length);
    services_.refusals.count(Refusal::body_too_large);
    co_return co_await refuse(kube::request_entity_too_large(kMaxBodyBytes));
  }
  audit_id_ = audit_id_of(*head);
  const auto caller = services_.authenticator.authenticate(head->header("Authorization"), certificate_, request->path);
  const Impersonation wanted = read_impersonation(head_text);
  tl::expected<User, kube::Status> user = tl::unexpected(kube::unauthorized());
  if (caller) user = impersonate(*caller, wanted, services_.authorizer);
  if (user) request->user = *user;
  const RequestInfo info = read_request_info(*request);
  const Subresource* stream = find_stream(request->method, info);
  const bool watch = info.is_resource && info.verb == "watch" && request->method == "GET";
  Observation observation(services_.observers, {*head,
                                                *request,
                                                info,
                                                client_,
                                                stream != nullptr || watch,
                                                {},
                                                {},
                                                0,
                                                caller.value_or(User()),
                                                user && wanted.wanted(),
                                                audit_id_});
  const Observed observed(observation_, observation);
  if (!user) {
    spdlog::info("{} {}: refused: {}", request->method, request->path, user.error().message);
    co_return co_await refuse(user.error());
  }
  spdlog::debug("{} {} by {}", request->method, head->target, user->name);
  const bool keep_alive = wants_keep_alive(*head, head_text) && !(body.present() && !reads_body(*request, body));
  if (stream == nullptr && !watch) {
    const Arrival arrival{*head, *request, info, body, head_length, keep_alive};
    co_return co_await serve_rest(arrival);
  }
  const Attributes attributes = attributes_of(info);
  const Decision decision = services_.authorizer.authorize(*user, attributes);
  observation.decides(decision);
  if (!decision.allowed) {
    kube::Status refused = forbidden_status(*user, attributes, decision.reason);
    if (stream != nullptr) fit_into_handshake(refused);
    spdlog::info("{} {}: {}", request->method, request->path, refused.message);
    co_return co_await refuse(std::move(refused));
  }
  if (stream != nullptr) co_return co_await serve_usbredir(*head, info, head_length, keep_alive);
  buffer_.erase(0, head_length);
  co_return co_await serve_watch(*request, info, keep_alive);
}

asio::awaitable<Connection::Next> Connection::serve_rest(const Arrival& arrival) {
  if (services_.unread_bytes > services_.limits.unread_bytes) {
    services_.refusals.count(Refusal::unread_responses);
    const kube::Status status = kube::too_many_requests(1);
    co_return co_await refuse(status);
  }
  const auto refused = co_await read_body(arrival);
  if (refused) co_return co_await refuse(*refused);
  co_return co_await work(arrival);
}

asio::awaitable<std::optional<kube::Status>> Connection::read_body(const Arrival& arrival) {
  const bool complete = !arrival.body.chunked && buffer_.size() >= arrival.head_length + arrival.body.length;
  if (complete) co_return std::nullopt;
  // Nobody's bytes are waited for who may not send them.
  const Attributes attributes = attributes_of(arrival.info);
  const Decision decision = services_.authorizer.authorize(arrival.request.user, attributes);
  if (!decision.allowed) {
    observation_->decides(decision);
    co_return forbidden_status(arrival.request.user, attributes, decision.reason);
  }
  // Those read their body while they are served.
  if (arrival.body.chunked || arrival.head.has_header("Expect")) co_return std::nullopt;
  const Place place(services_.bodies, services_.limits.bodies);
  if (!place) {
    services_.refusals.count(Refusal::requests_in_flight);
    co_return kube::too_many_requests(1);
  }
  const auto end = Clock::now() + services_.limits.body;
  while (buffer_.size() < arrival.head_length + arrival.body.length) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    const Read more = co_await read_more(left);
    if (more == Read::late) services_.refusals.count(Refusal::slow_body);
    if (more != Read::came) co_return kube::bad_request("the body of the request could not be read");
  }
  co_return std::nullopt;
}

asio::awaitable<Connection::Next> Connection::work(const Arrival& arrival) {
  RestEngine::Served served;
  {
    const Place place(services_.requests_in_flight, services_.limits.requests_in_flight);
    if (!place) {
      services_.refusals.count(Refusal::requests_in_flight);
      const kube::Status status = kube::too_many_requests(1);
      co_return co_await refuse(status);
    }
    if (!engine_) {
      engine_ = std::make_unique<RestEngine>([this](const Request& request) {
        Decision decision;
        Response response = services_.api.handle(request, &decision);
        observation_->decides(std::move(decision));
        return response;
      });
    }
    const bool waits = arrival.body.chunked || arrival.head.has_header("Expect");
    on_worker_ = true;
    const auto serve = [&]() -> asio::awaitable<RestEngine::Served> {
      co_return engine_->serve(*stream_, buffer_, arrival.request.user, audit_id_);
    };
    const bool asks_node = arrival.info.group == kSubresourceGroup;
    auto& pool = asks_node ? services_.node_workers : waits ? services_.uploads : services_.workers;
    served = co_await asio::co_spawn(pool, serve, asio::use_awaitable);
    on_worker_ = false;
  }
  if (served.code == 413) services_.refusals.count(Refusal::body_too_large);
  observation_->answers(served.code);
  const bool sent = co_await send(served.output);
  co_return sent&& served.keep&& arrival.keep_alive && !aborted_ ? Next::keep : Next::close;
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

asio::awaitable<Connection::Next> Connection::serve_usbredir(const websocket::Head& head, const RequestInfo& info,
                                                             std::size_t head_length, bool keep_alive) {
  std::string leftover = buffer_.substr(head_length);
  const auto refusal = co_await services_.usbredir.serve(stream_, head, info, std::move(leftover), relay_peer_);
  if (!refusal) {
    observation_->answers(101);
    co_return Next::close;
  }
  buffer_.erase(0, head_length);
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
