#include "launcher-sim/channel_opening.h"

#include <utility>

#include "common/http/head_grammar.h"
#include "common/websocket/handshake.h"

namespace usbloop::launcher {

bool is_stream(ChannelRequest::Kind kind) {
  return kind != ChannelRequest::Kind::action && kind != ChannelRequest::Kind::agent;
}

tl::expected<Opening, Refused> read_opening(std::string_view text, const GuestRegistry& guests) {
  auto read = http::parse_request_head(text);
  if (!read) return tl::unexpected(Refused{read.error().code, read.error().message});
  http::Head& head = read->fields;
  auto request = parse_channel_request(head.method, head.target);
  if (!request) return tl::unexpected(Refused{404, "404: Page Not Found"});
  auto guest = guests.find(request->vmi_namespace, request->name);
  if (!guest) {
    return tl::unexpected(Refused{404, "VMI " + request->vmi_namespace + "/" + request->name + " does not exist"});
  }
  const auto cause = is_stream(request->kind) ? websocket::upgrade_refusal(head) : std::string();
  if (!cause.empty()) {
    return tl::unexpected(Refused{400, "Bad Request\n" + cause});
  }
  return Opening{std::move(head), std::move(*request), std::move(*guest)};
}

}  // namespace usbloop::launcher
