#include "apiserver-sim/subresource/usbredir_relay.h"

#include <cctype>
#include <span>

#include "apiserver-sim/subresource/node_handshake.h"
#include "apiserver-sim/subresource/usbredir_checks.h"
#include "common/log.h"
#include "common/net/pump.h"

namespace usbloop::apiserver {
namespace {

Response refuse(const kube::Status& status) { return {status.code, "application/json", refusal_body(status), {}}; }

/// As gorilla/websocket and virt-api answer together: a plain text with the Status behind it.
Response refuse_upgrade(const std::string& why) {
  return {400,
          "text/plain; charset=utf-8",
          "Bad Request\n" + refusal_body(kube::bad_request(why)),
          {{"Sec-Websocket-Version", "13"}}};
}

/// The words of Go's dialer.
std::string dial_text(const std::string& path, const Error& error) {
  std::string cause = error.cause;
  if (!cause.empty()) cause[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(cause[0])));
  return "dial unix " + path + ": connect: " + cause;
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

/// Makes the node's stream known to `peer` for as long as it lives.
class Known {
 public:
  Known(RelayPeer& peer, net::Stream& node) : peer_(peer) { peer_.node = &node; }
  ~Known() { peer_.node = nullptr; }
  Known(const Known&) = delete;
  Known& operator=(const Known&) = delete;

 private:
  RelayPeer& peer_;
};

}  // namespace

asio::awaitable<std::optional<Response>> UsbredirRelay::serve(net::Stream& client, const websocket::Head& head,
                                                              const RequestInfo& info, std::string leftover,
                                                              RelayPeer& peer) {
  const Counted counted(active_);
  auto response = co_await handle(client, head, info, std::move(leftover), peer);
  if (response) spdlog::info("usbredir {}/{}: refused with {}", info.namespace_, info.name, response->code);
  co_return response;
}

asio::awaitable<std::optional<Response>> UsbredirRelay::handle(net::Stream& client, const websocket::Head& head,
                                                               const RequestInfo& info, std::string leftover,
                                                               RelayPeer& peer) {
  const auto channel = check_usbredir(store_, info.namespace_, info.name);
  if (!channel) co_return refuse(channel.error());
  if (const std::string why = websocket::upgrade_refusal(head); !why.empty()) co_return refuse_upgrade(why);
  auto dialed = net::connect_unix(client.socket().get_executor(), channel->socket_path);
  if (!dialed) co_return refuse(dial_failure(dial_text(channel->socket_path, dialed.error())));
  net::Stream& node = **dialed;
  const Known known(peer, node);
  const std::string path = "/v1/namespaces/" + info.namespace_ + "/virtualmachineinstances/" + info.name + "/usbredir";
  const std::string key = head.header("Sec-WebSocket-Key");
  const auto answer = co_await shake_hands_with_node(node, path, key, times_.node_answer);
  if (!answer) co_return refuse(dial_failure(answer.error().cause));
  if (answer->head.status != 101) co_return refuse(handshake_refused(answer->head.status, answer->rest));
  if (auto valid = websocket::check_upgrade_response(answer->head, key); !valid) {
    co_return refuse(handshake_refused(101, ""));
  }
  const std::string accepted = websocket::upgrade_response(head) + answer->rest;
  const bool told = co_await pass_on(client, accepted);
  if (!told) co_return std::nullopt;
  const bool passed = co_await pass_on(node, leftover);
  if (!passed) co_return std::nullopt;
  spdlog::info("usbredir {}/{}: connected to node {}", info.namespace_, info.name, channel->node);
  const net::RelayCounts counts = co_await net::relay(client, node, times_.linger);
  spdlog::info("usbredir {}/{}: ended, {} bytes to the node, {} bytes from it", info.namespace_, info.name,
               counts.first_to_second, counts.second_to_first);
  co_return std::nullopt;
}

}  // namespace usbloop::apiserver
