#include "e2e/harness/raw_websocket.h"

#include <array>

#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

constexpr std::array<char, 4> kMask = {'\x37', '\x21', '\x5a', '\x09'};

void append_big_endian(std::string& text, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) text += static_cast<char>((value >> shift) & 0xff);
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = (value << 8U) | static_cast<unsigned char>(byte);
  return value;
}

void apply_mask(std::string& payload, std::string_view mask) {
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
}

/// Takes one whole frame off the front of `bytes`, or nothing when it is not complete.
std::optional<Frame> take_frame(std::string& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  std::uint64_t length = second & 0x7fU;
  std::size_t at = 2;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  const bool masked = (second & 0x80U) != 0;
  if (bytes.size() < at + more + (masked ? 4 : 0)) return std::nullopt;
  if (more != 0) length = read_big_endian(std::string_view(bytes).substr(at, more));
  at += more;
  const std::string mask = masked ? bytes.substr(at, 4) : std::string(4, '\0');
  at += masked ? 4 : 0;
  if (bytes.size() - at < length) return std::nullopt;
  Frame frame{.opcode = first & 0x0f,
              .payload = bytes.substr(at, length),
              .fin = (first & 0x80U) != 0,
              .rsv = (first >> 4U) & 7,
              .masked = masked};
  if (masked) apply_mask(frame.payload, mask);
  bytes.erase(0, at + length);
  return frame;
}

}  // namespace

std::string encode(const Frame& frame) {
  std::string bytes;
  bytes += static_cast<char>((frame.fin ? 0x80 : 0) | (frame.rsv << 4) | frame.opcode);
  const std::uint64_t length = frame.claimed_length.value_or(frame.payload.size());
  const int mask_bit = frame.masked ? 0x80 : 0;
  if (length < 126) {
    bytes += static_cast<char>(mask_bit | static_cast<int>(length));
  } else if (length <= 0xffff) {
    bytes += static_cast<char>(mask_bit | 126);
    append_big_endian(bytes, length, 2);
  } else {
    bytes += static_cast<char>(mask_bit | 127);
    append_big_endian(bytes, length, 8);
  }
  if (!frame.masked) return bytes + frame.payload;
  const std::string_view mask(kMask.data(), kMask.size());
  std::string payload = frame.payload;
  apply_mask(payload, mask);
  return bytes.append(mask) + payload;
}

std::string close_payload(std::uint16_t code, const std::string& reason) {
  std::string payload;
  append_big_endian(payload, code, 2);
  return payload + reason;
}

std::uint16_t close_code(const Frame& close) {
  if (close.payload.size() < 2) return 1005;
  return static_cast<std::uint16_t>(read_big_endian(std::string_view(close.payload).substr(0, 2)));
}

std::string upgrade_head(const std::string& path, const std::string& token,
                         const std::map<std::string, std::string>& changed) {
  std::map<std::string, std::string> headers = {{"Host", "127.0.0.1"},
                                                {"User-Agent", "usbloop-e2e"},
                                                {"Connection", "Upgrade"},
                                                {"Upgrade", "websocket"},
                                                {"Sec-WebSocket-Version", "13"},
                                                {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                                {"Sec-WebSocket-Protocol", "plain.kubevirt.io"},
                                                {"Authorization", "Bearer " + token}};
  for (const auto& [name, value] : changed) headers[name] = value;
  std::string head = "GET " + path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : headers) {
    if (!value.empty()) head += name + ": " + value + "\r\n";
  }
  return head + "\r\n";
}

std::optional<Frame> RawWebsocket::receive(milliseconds timeout) {
  const Deadline deadline(timeout);
  while (true) {
    if (auto frame = take_frame(received_)) return frame;
    if (!wire_->receive(received_, deadline.left())) return std::nullopt;
  }
}

std::optional<Frame> RawWebsocket::receive_close(milliseconds timeout) {
  const Deadline deadline(timeout);
  while (auto frame = receive(deadline.left())) {
    if (frame->opcode == 8) return frame;
  }
  return std::nullopt;
}

std::string RawWebsocket::receive_payload(std::size_t size, milliseconds timeout) {
  const Deadline deadline(timeout);
  std::string payload;
  while (payload.size() < size) {
    const auto frame = receive(deadline.left());
    if (!frame || frame->opcode == 8) {
      throw Failure("the websocket ended after " + std::to_string(payload.size()) + " of " + std::to_string(size) +
                    " bytes");
    }
    if (frame->opcode == 2 || frame->opcode == 0) payload += frame->payload;
  }
  return payload;
}

}  // namespace usbloop::e2e
