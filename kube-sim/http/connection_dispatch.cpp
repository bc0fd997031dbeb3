// Who answers: a watch, a stream, or the API's logic with one response.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "common/log.h"
#include "kube-sim/http/connection.h"
#include "kube-sim/http/place.h"
#include "kube-sim/http/watch_session.h"
#include "kube-sim/http/watch_websocket.h"
#include "kube-sim/rest/routes.h"

namespace usbloop::apiserver {
namespace {

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

Connection::Answerer Connection::answerer_of(const Request& request, const RequestInfo& info) const {
  if (info.is_resource && info.verb == "watch" && request.method == "GET") return Answerer::watch;
  return services_.streams.find(request.method, info) ? Answerer::stream : Answerer::rest;
}

asio::awaitable<Connection::Next> Connection::dispatch(const Arrival& arrival) {
  if (arrival.answerer == Answerer::rest) co_return co_await serve_rest(arrival);
  if (arrival.refused) {
    kube::Status refused = *arrival.refused;
    if (arrival.answerer == Answerer::stream) fit_into_handshake(refused);
    co_return co_await refuse(std::move(refused));
  }
  if (arrival.answerer == Answerer::watch) co_return co_await serve_watch(arrival);
  co_return co_await serve_websocket(arrival);
}

asio::awaitable<Connection::Next> Connection::serve_rest(const Arrival& arrival) {
  if (services_.unread_bytes > services_.limits.unread_bytes) {
    services_.refusals.count(Refusal::unread_responses);
    const kube::Status status = kube::too_many_requests(1);
    co_return co_await refuse(status);
  }
  auto body = co_await read_body(arrival);
  if (!body) co_return co_await refuse(body.error());
  if (arrival.refused) {
    const Response refused = answer_status(*arrival.refused);
    co_return co_await answer(refused, arrival.keep_alive);
  }
  co_return co_await work(arrival, std::move(*body));
}

asio::awaitable<Connection::Next> Connection::work(const Arrival& arrival, std::string body) {
  int code = 0;
  std::string text;
  {
    const Place place(services_.requests_in_flight, services_.limits.requests_in_flight);
    if (!place) {
      services_.refusals.count(Refusal::requests_in_flight);
      const kube::Status status = kube::too_many_requests(1);
      co_return co_await refuse(status);
    }
    Request request = arrival.head.request;
    request.body = std::move(body);
    form_.keep_alive = arrival.keep_alive;
    const auto serve = [&]() -> asio::awaitable<std::string> {
      Response response = services_.api.handle(request, arrival.info);
      code = response.code;
      co_return response_text(std::move(response), form_);
    };
    const bool asks_node = services_.registry.aggregated(arrival.info.group) != nullptr;
    auto& pool = asks_node ? services_.node_workers : services_.workers;
    text = co_await asio::co_spawn(pool, serve, asio::use_awaitable);
  }
  if (code == 413) services_.refusals.count(Refusal::body_too_large);
  observation_->answers(code);
  const bool sent = co_await send(text);
  co_return sent&& arrival.keep_alive && !aborted_ ? Next::keep : Next::close;
}

asio::awaitable<Connection::Next> Connection::serve_watch(const Arrival& arrival) {
  const RequestInfo& info = arrival.info;
  const Request& request = arrival.head.request;
  const ResourcePtr resource = services_.registry.find(info.group, info.version, info.resource);
  if (auto refused = refuse_route(resource.get(), request, info))
    co_return co_await answer(*refused, arrival.keep_alive);
  auto spec = read_watch(services_.registry, services_.store, request, info);
  if (!spec) {
    const Response response = answer_status(spec.error());
    co_return co_await answer(response, arrival.keep_alive);
  }
  const Place place(services_.watches, services_.limits.watches);
  if (!place) {
    spdlog::info("refused a watch: {} run already", services_.limits.watches);
    services_.refusals.count(Refusal::watches);
    const Response response = answer_status(kube::too_many_requests(1));
    co_return co_await answer(response, arrival.keep_alive);
  }
  if (asks_for_websocket(arrival.head.fields)) {
    if (const auto refused = refuse_watch_handshake(arrival.head.fields)) co_return co_await answer(*refused, false);
  }
  WatchSession::Wire wire{*stream_, framing_for(arrival.head.fields, form_), buffer_};
  const int code = wire.framing->code();
  WatchSession session(std::move(wire), std::move(*spec), services_.store, services_.hub,
                       [this](std::size_t events) { observation_->sends(events); });
  watch_ = &session;
  observation_->starts(code);
  co_await session.run();
  watch_ = nullptr;
  if (session.cut()) services_.refusals.count(Refusal::slow_reader);
  co_return Next::close;
}

asio::awaitable<Connection::Next> Connection::serve_websocket(const Arrival& arrival) {
  std::string leftover = buffer_;
  if (buffer_.empty()) std::string().swap(buffer_);  // the room that the head has left
  StreamStart start =
      co_await services_.streams.open(stream_, arrival.head.fields, arrival.info, std::move(leftover), stream_ends_);
  if (start.refusal) co_return co_await answer(*start.refusal, arrival.keep_alive);
  open_stream_ = std::move(start.stream);
  co_return Next::stream;
}

}  // namespace usbloop::apiserver
