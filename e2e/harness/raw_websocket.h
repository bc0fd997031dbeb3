#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "e2e/harness/tls_socket.h"

namespace usbloop::e2e {

/// A websocket frame as it stands on the wire (RFC 6455 section 5.2), right or wrong.
struct Frame {
  int opcode = 2;
  std::string payload;
  bool fin = true;
  int rsv = 0;         ///< the three reserved bits, 4 2 1
  bool masked = true;  ///< as a client must
  /// Length to claim in the header instead of the payload's own.
  std::optional<std::uint64_t> claimed_length = {};
};

std::string encode(const Frame& frame);

/// The payload of a Close frame.
std::string close_payload(std::uint16_t code, const std::string& reason = {});
std::uint16_t close_code(const Frame& close);

/// The request head of an upgrade. `changed` replaces headers; an empty value drops one.
std::string upgrade_head(const std::string& path, const std::string& token,
                         const std::map<std::string, std::string>& changed = {});

/// One end of a websocket on a wire, made by hand: it sends whatever it is told, valid or not.
class RawWebsocket {
 public:
  /// `leftover`: bytes that came behind the handshake.
  explicit RawWebsocket(std::unique_ptr<Wire> wire, std::string leftover = {})
      : wire_(std::move(wire)), received_(std::move(leftover)) {}

  Wire& wire() { return *wire_; }
  bool send(const Frame& frame) { return wire_->send(encode(frame)); }
  /// The next frame, unmasked; nothing when the stream ended. Throws Failure when nothing comes in time.
  std::optional<Frame> receive(milliseconds timeout);
  /// Skips data frames until a Close frame or the end; the Close frame when one came.
  std::optional<Frame> receive_close(milliseconds timeout);
  /// Collects the payload of data frames until at least `size` bytes are there.
  std::string receive_payload(std::size_t size, milliseconds timeout);

 private:
  std::unique_ptr<Wire> wire_;
  std::string received_;
};

}  // namespace usbloop::e2e
