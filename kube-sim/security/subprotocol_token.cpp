#include "kube-sim/security/subprotocol_token.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/ascii_text.h"
#include "common/websocket/close_code.h"

namespace usbloop::apiserver {
namespace {

constexpr std::string_view kBearerProtocol = "base64url.bearer.authorization.k8s.io.";
constexpr std::string_view kHeader = "Sec-WebSocket-Protocol";

/// RFC 4648 section 5, without padding.
std::optional<std::string> decode_base64url(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (text.size() % 4 == 1) return std::nullopt;
  std::string decoded;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    decoded += static_cast<char>(bits >> count & 0xFFU);
  }
  return decoded;
}

struct Protocols {
  std::vector<std::string_view> tokens;  ///< encoded
  std::string others;                    ///< as the header goes on
};

Protocols split_protocols(std::string_view value) {
  Protocols protocols;
  while (!value.empty()) {
    const std::string_view entry = value.substr(0, value.find(','));
    value.remove_prefix(std::min(entry.size() + 1, value.size()));
    const std::string_view protocol = trim(entry);
    if (protocol.starts_with(kBearerProtocol)) {
      protocols.tokens.push_back(protocol.substr(kBearerProtocol.size()));
    } else if (!protocol.empty()) {
      protocols.others.append(protocols.others.empty() ? "" : ", ").append(protocol);
    }
  }
  return protocols;
}

}  // namespace

SubprotocolToken take_subprotocol_token(http::Head& head) {
  const bool upgrades = head.has_token("Connection", "upgrade") && head.has_token("Upgrade", "websocket");
  SubprotocolToken found;
  bool others = false;
  std::size_t count = 0;
  for (auto& [name, value] : head.headers) {
    if (!equal_ignoring_case(name, kHeader)) continue;
    Protocols protocols = split_protocols(value);
    others |= !protocols.others.empty();
    if (protocols.tokens.empty()) continue;
    count += protocols.tokens.size();
    if (auto token = decode_base64url(protocols.tokens.front())) found.token = std::move(*token);
    value = std::move(protocols.others);
  }
  found.present = upgrades && count > 0;
  found.valid = found.present && count == 1 && others && !found.token.empty() && websocket::valid_utf8(found.token);
  if (!found.valid) found.token.clear();
  std::erase_if(head.headers,
                [](const auto& header) { return equal_ignoring_case(header.first, kHeader) && header.second.empty(); });
  return found;
}

}  // namespace usbloop::apiserver
