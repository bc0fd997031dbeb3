#include "apiserver-sim/subresource/vmi_streams.h"

#include <memory>
#include <span>

#include "apiserver-sim/subresource/refusals.h"
#include "apiserver-sim/subresource/subresource_table.h"
#include "apiserver-sim/subresource/vmi_stream.h"
#include "bridge/handoff.h"
#include "common/log.h"
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

}  // namespace

bool VmiStreams::find(const std::string& method, const RequestInfo& info) const {
  return find_stream(method, info) != nullptr;
}

asio::awaitable<StreamStart> VmiStreams::open(net::StreamPtr& client, const http::Head& head, const RequestInfo& info,
                                              std::string leftover, StreamEnds& ends) {
  const std::string name = info.subresource + " " + info.namespace_ + "/" + info.name;
  auto stream =
      std::make_unique<VmiStream>(StreamShare{options_, traffic_, active_}, name, client, std::move(leftover), ends);
  StreamStart start;
  start.refusal = co_await connect(*stream, *client, head, info);
  if (start.refusal) {
    spdlog::info("{}: refused with {}", name, start.refusal->code);
  } else {
    start.stream = std::move(stream);
  }
  co_return start;
}

asio::awaitable<std::optional<Response>> VmiStreams::connect(VmiStream& session, net::Stream& client,
                                                             const http::Head& head, const RequestInfo& info) {
  const Subresource* stream = find_stream(head.method, info);
  if (stream == nullptr) co_return answer_text(404, "404: Page Not Found");
  const auto channel = find_channel(store_, info.namespace_, info.name, stream->stream);
  if (!channel) co_return answer_refusal(channel.error());
  if (const std::string why = websocket::upgrade_refusal(head); !why.empty()) co_return refuse_upgrade(why);
  const auto executor = client.socket().get_executor();
  auto dialed = net::connect_unix(executor, channel->socket_path);
  if (!dialed) co_return answer_refusal(dial_failure(dial_text(channel->socket_path, dialed.error())));
  session.use_node(std::move(*dialed));
  const std::string path = node_target(head, info);
  const std::string key = head.header("Sec-WebSocket-Key");
  // Consoles and displays carry what a person types and sees: a handoff would gain nothing.
  const Handoff handoff = info.subresource == "usbredir" ? options_.handoff : Handoff::none;
  auto answer = co_await shake_hands_with_node(session.node(), path, key, handoff, options_.node_answer);
  if (!answer) co_return answer_refusal(dial_failure(answer.error().cause));
  if (answer->head.status != 101) co_return answer_refusal(handshake_refused(answer->head.status, answer->rest));
  if (auto valid = websocket::check_upgrade_response(answer->head, key); !valid) {
    co_return answer_refusal(handshake_refused(101, ""));
  }
  const bool handed_over = static_cast<bool>(answer->device);
  if (handed_over) {
    answer->rest += websocket::first_ping();  // the end of the websocket is here
    auto device = bridge::adopt_device(executor, std::move(answer->device));
    if (!device) co_return answer_refusal(dial_failure(device.error().cause));
    session.use_device(std::move(*device));
  }
  const std::string accepted = websocket::upgrade_response(head) + answer->rest;
  const auto bytes = std::as_bytes(std::span(accepted));
  const auto told = co_await client.write_all(bytes);
  if (!told) {
    session.lose_client();
    co_return std::nullopt;
  }
  spdlog::info("{} {}/{}: connected to node {}{}", info.subresource, info.namespace_, info.name, channel->node,
               handed_over ? ", which has handed its slot over" : "");
  co_return std::nullopt;
}

}  // namespace usbloop::apiserver
