// The requests that are answered with one response: their body, their place with a worker, their answer.
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "kube-sim/http/connection.h"
#include "kube-sim/http/place.h"
#include "kube-sim/http/request_body.h"
#include "kube-sim/http/rest_engine.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {

asio::awaitable<Connection::Next> Connection::serve_rest(const Arrival& arrival) {
  if (services_.unread_bytes > services_.limits.unread_bytes) {
    services_.refusals.count(Refusal::unread_responses);
    const kube::Status status = kube::too_many_requests(1);
    co_return co_await refuse(status);
  }
  auto body = co_await read_body(arrival);
  if (!body) co_return co_await refuse(body.error());
  co_return co_await work(arrival, std::move(*body));
}

asio::awaitable<tl::expected<std::string, kube::Status>> Connection::read_body(const Arrival& arrival) {
  if (!has_body(arrival.head.request.method)) co_return std::string();
  RequestBody body(arrival.head.body);
  RequestBody::State state = body.take(buffer_);
  if (state == RequestBody::State::more) {
    // Nobody's bytes are waited for who may not send them.
    const User& user = arrival.head.request.user;
    const Attributes attributes = attributes_of(arrival.info);
    const Decision decision = services_.authorizer.authorize(user, attributes);
    if (!decision.allowed) {
      observation_->decides(decision);
      co_return tl::unexpected(forbidden_status(user, attributes, decision.reason));
    }
    const auto waited = co_await await_body(arrival, body);
    if (!waited) co_return tl::unexpected(waited.error());
    state = *waited;
  }
  if (state == RequestBody::State::complete) co_return body.release();
  if (state == RequestBody::State::too_large) {
    services_.refusals.count(Refusal::body_too_large);
    co_return tl::unexpected(kube::request_entity_too_large(kMaxBodyBytes));
  }
  services_.refusals.count(Refusal::bad_request);
  co_return tl::unexpected(kube::bad_request("the body of the request could not be read"));
}

asio::awaitable<tl::expected<RequestBody::State, kube::Status>> Connection::await_body(const Arrival& arrival,
                                                                                       RequestBody& body) {
  const Place place(services_.bodies, services_.limits.bodies);
  const KeyedPlace own(services_.user_bodies, arrival.caller.name);
  if (!place || !own) {
    services_.refusals.count(place ? Refusal::user_bodies : Refusal::bodies);
    co_return tl::unexpected(kube::too_many_requests(1));
  }
  const auto end = std::chrono::steady_clock::now() + services_.limits.body;
  if (arrival.head.waits_for_continue) {
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await send(go_on);
    if (!sent) co_return RequestBody::State::malformed;
  }
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const Read more = co_await read_more(left);
    if (more == Read::late) services_.refusals.count(Refusal::slow_body);
    if (more != Read::came) co_return RequestBody::State::malformed;
    const RequestBody::State state = body.take(buffer_);
    if (state != RequestBody::State::more) co_return state;
  }
}

asio::awaitable<Connection::Next> Connection::work(const Arrival& arrival, std::string body) {
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
    const auto serve = [&]() -> asio::awaitable<RestEngine::Served> {
      co_return engine_->serve({arrival.head.fields, body, arrival.head.request.user, audit_id_, arrival.keep_alive});
    };
    const bool asks_node = services_.registry.aggregated(arrival.info.group) != nullptr;
    auto& pool = asks_node ? services_.node_workers : services_.workers;
    served = co_await asio::co_spawn(pool, serve, asio::use_awaitable);
  }
  if (served.code == 413) services_.refusals.count(Refusal::body_too_large);
  observation_->answers(served.code);
  const bool sent = co_await send(served.output);
  co_return sent&& served.keep&& arrival.keep_alive && !aborted_ ? Next::keep : Next::close;
}

}  // namespace usbloop::apiserver
