#include <cstdlib>
#include <string>

#include "common/http/head_grammar.h"
#include "common/websocket/fuzz/targets.h"
#include "common/websocket/handshake.h"

namespace usbloop::websocket::fuzz {

// An answer to an upgrade, as a client and the API server read it. Requests: apiserver-sim/fuzz.
void handshake(std::span<const std::byte> input) {
  const std::string text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto length = http::head_length(text);
  if (!length) return;
  if (*length > text.size()) std::abort();
  const auto head = http::parse_response_head(std::string_view(text).substr(0, *length));
  if (!head) return;
  (void)check_upgrade_response(*head, "dGhlIHNhbXBsZSBub25jZQ==");
  (void)head->has_token("Connection", "upgrade");
}

}  // namespace usbloop::websocket::fuzz
