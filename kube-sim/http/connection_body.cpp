// The body behind a request's head.
#include <asio/use_awaitable.hpp>

#include "kube-sim/http/connection.h"
#include "kube-sim/http/place.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {

asio::awaitable<tl::expected<std::string, kube::Status>> Connection::read_body(const Arrival& arrival) {
  if (!has_body(arrival.head.request.method)) co_return std::string();
  RequestBody body(arrival.head.body);
  RequestBody::State state = body.take(buffer_);
  if (state == RequestBody::State::more) {
    // The server waits for a body only when its user may send the request.
    if (arrival.refused) co_return tl::unexpected(*arrival.refused);
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
  const auto end = Clock::now() + services_.limits.body;
  if (arrival.head.waits_for_continue) {
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await send(go_on);
    if (!sent) co_return RequestBody::State::malformed;
  }
  while (true) {
    const Read more = co_await read_more(time_until(end));
    if (more == Read::late) services_.refusals.count(Refusal::slow_body);
    if (more != Read::came) co_return RequestBody::State::malformed;
    const RequestBody::State state = body.take(buffer_);
    if (state != RequestBody::State::more) co_return state;
  }
}

}  // namespace usbloop::apiserver
