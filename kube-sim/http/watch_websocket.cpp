#include "kube-sim/http/watch_websocket.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/ascii_text.h"
#include "common/http/head_grammar.h"
#include "common/websocket/frame.h"
#include "common/websocket/handshake.h"

namespace usbloop::apiserver {
namespace {

constexpr const char* kProtocols = "Sec-WebSocket-Protocol";
constexpr std::uint16_t kNormalClosure = 1000;
constexpr std::uint16_t kProtocolError = 1002;

std::string frame_of(websocket::Opcode opcode, std::string_view payload) {
  std::array<std::byte, websocket::kMaxFrameHeader> room{};
  const std::size_t size = websocket::encode_header(room, opcode, payload.size(), nullptr);
  std::string text(reinterpret_cast<const char*>(room.data()) + room.size() - size, size);
  return text.append(payload);
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A path, or a URL whose authority is one: what Go's url.ParseRequestURI takes.
bool is_origin(std::string_view text) {
  if (text.starts_with('/')) return true;
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0) return false;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto in_scheme = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  const std::string_view scheme = text.substr(0, colon);
  if (!is_letter(scheme.front()) || !std::all_of(scheme.begin(), scheme.end(), in_scheme)) return false;
  std::string_view rest = text.substr(colon + 1);
  if (!rest.starts_with("//")) return true;
  rest.remove_prefix(2);
  return http::is_authority(rest.substr(0, rest.find_first_of("/?")));
}

class WebsocketFraming final : public WatchFraming {
 public:
  explicit WebsocketFraming(const http::Head& request)
      : key_(request.header("Sec-WebSocket-Key")), protocol_(request.header(kProtocols)) {}

  [[nodiscard]] int code() const override { return 101; }

  [[nodiscard]] std::string head() const override {
    std::string text =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
        websocket::accept_for_key(key_) + "\r\n";
    if (!protocol_.empty()) text.append(kProtocols).append(": ").append(protocol_).append("\r\n");
    return text.append("\r\n");
  }

  std::string events(const std::string& lines) override {
    std::string frames;
    if (closing_) return frames;  // nothing follows a Close (RFC 6455 section 5.5.1)
    for (std::string_view rest = lines; !rest.empty();) {
      const std::string_view line = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
      frames += frame_of(websocket::Opcode::text, line);
      rest.remove_prefix(line.size());
    }
    return frames;
  }

  std::string last() override {
    return frame_of(websocket::Opcode::close, text_of(websocket::close_payload(close_code_, {})));
  }

  Heard receive(std::span<std::byte> bytes) override {
    while (!bytes.empty() && !closing_) {
      const websocket::Decoded step = decoder_.next(bytes);
      bytes = bytes.subspan(step.consumed);
      if (step.kind == websocket::Decoded::Kind::need_more) break;
      if (step.kind == websocket::Decoded::Kind::violation) {
        close_code_ = kProtocolError;
        closing_ = true;
      } else if (step.kind == websocket::Decoded::Kind::control) {
        closing_ = step.opcode == websocket::Opcode::close;
        // Only the latest of several pings needs an answer (RFC 6455 section 5.5.3): they fill no memory.
        if (step.opcode == websocket::Opcode::ping) pong_ = frame_of(websocket::Opcode::pong, text_of(step.payload));
      }
    }
    if (closing_) return Heard::end;
    return pong_.empty() ? Heard::nothing : Heard::question;
  }

  std::string take_answer() override { return std::exchange(pong_, {}); }

 private:
  const std::string key_;
  const std::string protocol_;
  websocket::FrameDecoder decoder_{true};
  std::string pong_;  ///< to be sent
  bool closing_ = false;
  std::uint16_t close_code_ = kNormalClosure;
};

Response refusal(int code, const char* body) { return {code, "", body, {}}; }

}  // namespace

bool asks_for_websocket(const http::Head& request) {
  return equal_ignoring_case(request.header("Upgrade"), "websocket") && request.has_token("Connection", "upgrade");
}

std::optional<Response> refuse_watch_handshake(const http::Head& request) {
  // The order and the words of golang.org/x/net/websocket.
  if (request.header("Sec-WebSocket-Key").empty()) return refusal(400, "mismatch challenge/response");
  if (request.header("Sec-WebSocket-Version") != "13") {
    Response refused = refusal(400, "missing or bad WebSocket Version");
    refused.headers.emplace_back("Sec-WebSocket-Version", "13");
    return refused;
  }
  if (!is_origin(request.header("Origin"))) return refusal(403, "");
  if (request.header(kProtocols).find(',') != std::string::npos) return refusal(400, "");
  return std::nullopt;
}

std::unique_ptr<WatchFraming> websocket_framing(const http::Head& request) {
  return std::make_unique<WebsocketFraming>(request);
}

}  // namespace usbloop::apiserver
