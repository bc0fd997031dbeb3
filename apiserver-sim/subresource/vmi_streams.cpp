#include "apiserver-sim/subresource/vmi_streams.h"

#include <asio/experimental/awaitable_operators.hpp>
#include <span>

#include "apiserver-sim/subresource/refusals.h"
#include "apiserver-sim/subresource/subresource_table.h"
#include "bridge/bridge.h"
#include "bridge/handoff.h"
#include "common/log.h"
#include "common/net/relay.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {
namespace {

/// As gorilla/websocket and virt-api answer together: a plain text, and the Status behind it.
Response refuse_upgrade(const std::string& why) {
  return {400,
          "text/plain; charset=utf-8",
          "Bad Request\n" + refusal_body(kube::bad_request(why)),
          {{"Sec-Websocket-Version", "13"}}};
}

/// What virt-handler is asked for (wire.md section 13).
std::string node_target(const http::Head& head, const RequestInfo& info) {
  const std::string path =
      "/v1/namespaces/" + info.namespace_ + "/virtualmachineinstances/" + info.name + "/" + info.subresource;
  if (info.subresource != "vnc") return path;
  const auto target = parse_target(head.target);
  const auto preserve = target->query.find("preserveSession");  // the front door has read it already
  const bool preserves = preserve != target->query.end() && preserve->second == "true";
  return path + (preserves ? "?preserveSession=true" : "?preserveSession=false");
}

asio::awaitable<bool> pass_on(net::Stream& to, const std::string& bytes) {
  if (bytes.empty()) co_return true;
  const auto written = co_await to.write_all(std::as_bytes(std::span(bytes)));
  co_return written.has_value();
}

class Counted {
 public:
  explicit Counted(std::atomic<int>& counter) : counter_(counter) { ++counter_; }
  ~Counted() { --counter_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<int>& counter_;
};

/// Makes something of a relay known to whoever has to cut it, for as long as this lives.
template <typename T>
class Known {
 public:
  Known(T*& place, T& thing) : place_(place) { place_ = &thing; }
  ~Known() { place_ = nullptr; }
  Known(const Known&) = delete;
  Known& operator=(const Known&) = delete;

 private:
  T*& place_;
};

}  // namespace

/// One accepted request, for the log and the two ways.
struct VmiStreams::Session {
  std::string name;      ///< "console default/demo"
  std::string accepted;  ///< the 101, with what the node has sent behind its own
  std::string leftover;  ///< what the client has sent behind its request
};

bool VmiStreams::find(const std::string& method, const RequestInfo& info) const {
  return find_stream(method, info) != nullptr;
}

asio::awaitable<std::optional<Response>> VmiStreams::serve(net::StreamPtr& client, const http::Head& head,
                                                           const RequestInfo& info, std::string leftover,
                                                           StreamEnds& ends) {
  const Counted counted(active_);
  auto response = co_await handle(client, head, info, std::move(leftover), ends);
  if (response) spdlog::info("{} {}/{}: refused with {}", info.subresource, info.namespace_, info.name, response->code);
  co_return response;
}

asio::awaitable<std::optional<Response>> VmiStreams::handle(net::StreamPtr& client, const http::Head& head,
                                                            const RequestInfo& info, std::string leftover,
                                                            StreamEnds& ends) {
  const Subresource* stream = find_stream(head.method, info);
  if (stream == nullptr) co_return answer_text(404, "404: Page Not Found");
  const auto channel = find_channel(store_, info.namespace_, info.name, stream->stream);
  if (!channel) co_return answer_refusal(channel.error());
  if (const std::string why = websocket::upgrade_refusal(head); !why.empty()) co_return refuse_upgrade(why);
  const auto executor = client->socket().get_executor();
  auto dialed = net::connect_unix(executor, channel->socket_path);
  if (!dialed) co_return answer_refusal(dial_failure(dial_text(channel->socket_path, dialed.error())));
  net::Stream& node = **dialed;
  const Known known(ends.node, node);
  const std::string path = node_target(head, info);
  const std::string key = head.header("Sec-WebSocket-Key");
  // Consoles and displays carry what a person types and sees: a handoff would gain nothing.
  const Handoff handoff = info.subresource == "usbredir" ? options_.handoff : Handoff::none;
  auto answer = co_await shake_hands_with_node(node, path, key, handoff, options_.node_answer);
  if (!answer) co_return answer_refusal(dial_failure(answer.error().cause));
  if (answer->head.status != 101) co_return answer_refusal(handshake_refused(answer->head.status, answer->rest));
  if (auto valid = websocket::check_upgrade_response(answer->head, key); !valid) {
    co_return answer_refusal(handshake_refused(101, ""));
  }
  const bool handed_over = static_cast<bool>(answer->device);
  if (handed_over) answer->rest += websocket::first_ping();  // the end of the websocket is here
  const Session session{info.subresource + " " + info.namespace_ + "/" + info.name,
                        websocket::upgrade_response(head) + answer->rest, std::move(leftover)};
  Result<net::StreamPtr> device;
  if (handed_over) device = bridge::adopt_device(executor, std::move(answer->device));
  if (!device) co_return answer_refusal(dial_failure(device.error().cause));
  const bool told = co_await pass_on(*client, session.accepted);
  if (!told) co_return std::nullopt;
  spdlog::info("{}: connected to node {}{}", session.name, channel->node,
               handed_over ? ", which has handed its slot over" : "");
  if (handed_over) {
    co_await be_the_end(std::move(client), std::move(*device), node, session, ends);
  } else {
    co_await pass_through(*client, node, session);
  }
  co_return std::nullopt;
}

asio::awaitable<void> VmiStreams::pass_through(net::Stream& client, net::Stream& node, const Session& session) {
  const bool passed = co_await pass_on(node, session.leftover);
  if (!passed) co_return;
  const net::RelayOptions limits{.linger = options_.linger, .peer_timeout = options_.websocket.peer_timeout};
  const net::RelayCounts counts = co_await net::relay(client, node, limits, traffic_);
  const std::string why =
      counts.silence ? ": nothing heard from an end's host for " + std::to_string(counts.silence->count() / 1000) + " s"
                     : std::string();
  spdlog::info("{}: ended, {} bytes to the node, {} bytes from it{}", session.name, counts.first_to_second,
               counts.second_to_first, why);
}

asio::awaitable<void> VmiStreams::be_the_end(net::StreamPtr client, net::StreamPtr device, net::Stream& lease,
                                             const Session& session, StreamEnds& ends) {
  using asio::experimental::awaitable_operators::operator&&;
  const auto end_device = [&device, &lease] {
    if (device->socket().is_open()) bridge::end_device(device->socket().native_handle());
    device->close();
    lease.close();  // after the device: a slot that is free has no connection
  };
  auto options = options_.websocket;
  options.first_ping_sent = true;
  websocket::Channel channel(std::move(client), websocket::Role::server, options,
                             std::as_bytes(std::span(session.leftover)));
  const Known known(ends.client, channel);
  // The node has ended the session; what the device has already sent is still passed on.
  const auto watch_lease = [&]() -> asio::awaitable<void> {
    co_await bridge::lease_ends(lease);
    if (device->socket().is_open()) bridge::end_device(device->socket().native_handle());
  };
  bridge::StreamGuard guard;
  bridge::Ends both{channel, *device, &guard, end_device, traffic_};
  co_await (bridge::run(std::move(both)) && watch_lease());
  const websocket::CloseInfo& close = channel.close_info();
  spdlog::info("{}: ended ({}{}{})", session.name, close.code, close.reason.empty() ? "" : ": ", close.reason);
}

}  // namespace usbloop::apiserver
