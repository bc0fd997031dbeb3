#include "apiserver-sim/http/connection.h"

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>

#include "apiserver-sim/api/codec.h"
#include "apiserver-sim/http/rest_engine.h"
#include "common/log.h"
#include "common/net/deadline.h"

namespace usbloop::apiserver {
namespace {

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

bool is_usbredir(const Request& request, const RequestInfo& info) {
  return request.method == "GET" && info.group == "subresources.kubevirt.io" &&
         (info.version == "v1" || info.version == "v1alpha3") && info.resource == "virtualmachineinstances" &&
         info.subresource == "usbredir" && !info.namespace_.empty();
}

/// The methods that cpp-httplib reads a body with; with others a body would be taken for the next request.
bool reads_body(const Request& request, const BodyInfo& body) {
  const std::string& method = request.method;
  return method == "POST" || method == "PUT" || method == "PATCH" || (method == "DELETE" && !body.chunked);
}

bool known_method(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "POST" || method == "PUT" || method == "PATCH" ||
         method == "DELETE" || method == "OPTIONS";
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

asio::awaitable<bool> Connection::read_more(std::chrono::milliseconds time) {
  std::array<std::byte, 8192> bytes{};
  const net::Deadline deadline(stream_->socket().get_executor(), time, [this] { stream_->close(); });
  const auto count = co_await stream_->read_some(bytes);
  if (!count || *count == 0) co_return false;
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), *count);
  co_return true;
}

asio::awaitable<std::optional<std::size_t>> Connection::read_head() {
  using Clock = std::chrono::steady_clock;
  if (buffer_.empty()) {
    const bool came = co_await read_more(services_.limits.idle);
    if (!came) co_return std::nullopt;
  }
  const auto end = Clock::now() + services_.limits.head;
  while (true) {
    idle_ = false;
    const auto length = websocket::head_length(buffer_);
    if (length && *length <= websocket::kMaxHeadBytes) co_return length;
    if (buffer_.size() > websocket::kMaxHeadBytes) {
      spdlog::info("connection: refused a request head of more than {} bytes", websocket::kMaxHeadBytes);
      const kube::Status status = kube::request_header_too_large();
      co_await refuse(status);
      co_return std::nullopt;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    bool more = false;
    if (left.count() > 0) more = co_await read_more(left);
    if (!more) {
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
    co_return co_await refuse(kube::request_entity_too_large(kMaxBodyBytes));
  }
  if (!head || !known_method(head->method)) {
    spdlog::info("connection: refused what is no HTTP request");
    co_return co_await refuse(kube::bad_request("the request is not valid HTTP/1.1"));
  }
  auto request = request_of(*head);
  const BodyInfo body = body_of(*head);
  if (!request || !body.valid) co_return co_await refuse(kube::bad_request("the request is not valid"));
  if (!body.chunked && body.length > kMaxBodyBytes) {
    spdlog::info("{} {}: refused a body of {} bytes", request->method, request->path, body.length);
    co_return co_await refuse(kube::request_entity_too_large(kMaxBodyBytes));
  }
  const auto user = services_.authenticator.authenticate(head->header("Authorization"), certificate_);
  if (user) request->user = *user;
  const RequestInfo info = read_request_info(*request);
  const bool usbredir = is_usbredir(*request, info);
  const bool watch = info.is_resource && info.verb == "watch" && request->method == "GET";
  Observation observation(services_.observers, {*head, *request, info, client_, usbredir || watch, {}, {}, 0});
  const Observed observed(observation_, observation);
  if (!user) {
    spdlog::info("{} {}: refused, the credentials are not known", request->method, request->path);
    co_return co_await refuse(kube::unauthorized());
  }
  spdlog::debug("{} {} by {}", request->method, head->target, user->name);
  const bool keep_alive = wants_keep_alive(*head, head_text) && !(body.present() && !reads_body(*request, body));
  if (!usbredir && !watch) co_return co_await serve_rest(*user, keep_alive);
  if (auto refused = refuse_unauthorized(services_.authorizer, *user, info)) {
    spdlog::info("{} {}: {}", request->method, request->path, refused->message);
    co_return co_await refuse(*refused);
  }
  if (usbredir) co_return co_await serve_usbredir(*head, info, head_length, keep_alive);
  buffer_.erase(0, head_length);
  co_return co_await serve_watch(*request, info, keep_alive);
}

asio::awaitable<Connection::Next> Connection::serve_rest(const User& user, bool keep_alive) {
  if (!engine_) {
    engine_ = std::make_unique<RestEngine>([this](const Request& request) { return services_.api.handle(request); });
  }
  on_worker_ = true;
  const auto work = [&]() -> asio::awaitable<RestEngine::Served> { co_return engine_->serve(*stream_, buffer_, user); };
  const RestEngine::Served served = co_await asio::co_spawn(services_.workers, work, asio::use_awaitable);
  on_worker_ = false;
  observation_->answers(served.code);
  co_return served.keep&& keep_alive && !aborted_ ? Next::keep : Next::close;
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
    const Response response = answer_status(kube::too_many_requests(1));
    co_return co_await answer(response, keep_alive);
  }
  WatchSession session(*stream_, std::move(*spec), services_.store, services_.hub);
  watch_ = &session;
  observation_->starts(200);
  co_await session.run();
  watch_ = nullptr;
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
  const net::Deadline deadline(stream_->socket().get_executor(), services_.limits.head, [this] { stream_->close(); });
  const std::string text = response_text(response, keep_alive);
  const auto written = co_await stream_->write_all(std::as_bytes(std::span(text)));
  co_return written&& keep_alive ? Next::keep : Next::close;
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
