#include "common/websocket/connect.h"

#include <algorithm>
#include <asio/this_coro.hpp>
#include <chrono>
#include <span>
#include <utility>

#include "common/http/answer.h"
#include "common/net/deadline.h"
#include "common/net/link_state.h"
#include "common/net/stream.h"
#include "common/websocket/handshake.h"
#include "common/websocket/round_trip.h"
#include "common/websocket/server_stream.h"

namespace usbloop::websocket {
namespace {

constexpr std::size_t kMaxRefusalBytes = 64 * 1024;
constexpr const char* kUserAgent = "usbloop/" USBLOOP_VERSION;

using Clock = std::chrono::steady_clock;

/// Never zero: a deadline that has passed fails at once.
std::chrono::milliseconds until(Clock::time_point end) {
  return std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
}

/// The body of a refusal, as far as it comes within the limits: a cut body is still worth showing.
asio::awaitable<Result<Refusal>> read_refusal(const http::ReadMore& read_more, const http::Answer& answer) {
  auto body = co_await http::read_body(read_more, answer.head, answer.rest, kMaxRefusalBytes);
  if (!body) co_return tl::unexpected(std::move(body.error()));
  Refusal refusal;
  refusal.status = answer.head.status;
  refusal.content_type = answer.head.header("Content-Type");
  refusal.body = std::move(body->text);
  co_return refusal;
}

/// What the server has answered to the handshake.
struct Answered {
  std::optional<Refusal> refusal;
  std::vector<std::byte> rest;  ///< what came behind a 101
};

/// The handshake on an open stream.
asio::awaitable<Result<Answered>> shake_hands(net::Stream& stream, std::string request, std::string key) {
  if (auto sent = co_await stream.write_all(std::as_bytes(std::span(request))); !sent) {
    co_return tl::unexpected(sent.error());
  }
  const http::ReadMore read_more = http::reader_of(stream);
  const auto answer = co_await http::read_answer(read_more);
  if (!answer) co_return tl::unexpected(answer.error());

  Answered answered;
  if (answer->head.status != 101) {
    auto refusal = co_await read_refusal(read_more, *answer);
    if (!refusal) co_return tl::unexpected(std::move(refusal.error()));
    answered.refusal = std::move(*refusal);
    co_return answered;
  }
  if (auto valid = check_upgrade_response(answer->head, key); !valid) co_return tl::unexpected(valid.error());
  const auto rest = std::as_bytes(std::span(answer->rest));
  answered.rest.assign(rest.begin(), rest.end());
  co_return answered;
}

/// The handshake, while there is time for it.
asio::awaitable<Result<Answered>> in_time(net::Stream& stream, std::string request, std::string key,
                                          std::chrono::milliseconds time) {
  const net::Deadline deadline(stream.socket().get_executor(), time, [&stream] { stream.close(); });
  auto answered = co_await shake_hands(stream, std::move(request), std::move(key));
  if (!answered && deadline.expired()) {
    co_return make_error(ErrorKind::timeout, "open", "the websocket", "the server did not answer in time");
  }
  co_return answered;
}

/// As the kernel has measured it; where that is short, it may be the way to a proxy, and pings know better.
asio::awaitable<std::optional<std::chrono::microseconds>> round_trip_of(net::Stream& stream,
                                                                        std::vector<std::byte>& came,
                                                                        std::chrono::microseconds long_way) {
  std::optional<std::chrono::microseconds> kernels;
  if (const auto state = net::link_state(stream.socket().native_handle())) kernels = state->round_trip;
  if (kernels && *kernels >= long_way) co_return kernels;
  RoundTripOptions pings;
  pings.long_way = long_way;
  const auto measured = co_await measure_round_trip(stream, came, pings);
  co_return measured ? measured : kernels;
}

}  // namespace

asio::awaitable<Result<Opened>> connect(const kube::ClusterAccess& access, std::string path, ChannelOptions options,
                                        std::chrono::milliseconds timeout,
                                        std::optional<std::chrono::microseconds> long_way) {
  const auto end = Clock::now() + timeout;
  auto stream = co_await open_server_stream(access, timeout);
  if (!stream) co_return tl::unexpected(stream.error());
  const std::string key = new_key();
  std::string request = upgrade_request(access.path_prefix + path, host_header(access), key,
                                        access.authorization().value_or(""), kUserAgent, access.impersonation());

  auto answered = co_await in_time(**stream, std::move(request), key, until(end));
  if (!answered) co_return tl::unexpected(std::move(answered.error()));
  Opened opened;
  if (answered->refusal) {
    opened.refusal = std::move(*answered->refusal);
    co_return opened;
  }
  if (long_way) opened.round_trip = co_await round_trip_of(**stream, answered->rest, *long_way);
  opened.channel = std::make_unique<Channel>(std::move(*stream), Role::client, options, answered->rest);
  co_return opened;
}

}  // namespace usbloop::websocket
