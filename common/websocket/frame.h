#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Frames of RFC 6455 section 5 without I/O. websocketpp's are not used because the payload is the hot path: here it is
// decoded and masked in place, passed on before its message is complete, and never copied.
namespace usbloop::websocket {

enum class Opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

/// The longest header: 2 bytes, 8 bytes of length, 4 bytes of mask.
inline constexpr std::size_t kMaxFrameHeader = 14;
/// The largest payload of a control frame (section 5.5).
inline constexpr std::size_t kMaxControlPayload = 125;

/// The four bytes that a client's payload is combined with (section 5.3).
using MaskKey = std::array<std::byte, 4>;

/// Combines `bytes` with the key; `offset` is the position of the first byte within the frame's payload.
void apply_mask(std::span<std::byte> bytes, const MaskKey& key, std::uint64_t offset = 0);

/// Writes a frame's header to the end of `room` (kMaxFrameHeader bytes that stand right before the payload) and
/// returns its length. `mask` is null for a server's frames; the payload is masked by the caller.
std::size_t encode_header(std::span<std::byte, kMaxFrameHeader> room, Opcode opcode, std::size_t payload_size,
                          const MaskKey* mask);

/// A whole control frame. `payload` is cut to kMaxControlPayload. `mask` as above.
std::vector<std::byte> encode_control(Opcode opcode, std::span<const std::byte> payload, const MaskKey* mask);

/// Payload of a Close frame: the code and the reason, cut to fit.
std::vector<std::byte> close_payload(std::uint16_t code, std::string_view reason);

/// What the decoder found at the front of its input.
struct Decoded {
  enum class Kind {
    need_more,  ///< nothing more in the input
    data,       ///< `payload`: a part of a binary message
    control,    ///< `payload`: all of a close, ping or pong frame
    violation   ///< the peer broke the protocol; `reason` as gorilla/websocket words it
  };
  Kind kind = Kind::need_more;
  std::size_t consumed = 0;  ///< bytes to take off the front of the input
  Opcode opcode = Opcode::binary;
  std::span<const std::byte> payload = {};  ///< within the input (data) or the decoder (control)
  std::string reason = {};
};

/// Finds frames in a stream of bytes, whatever its pieces. Messages are not put together: payload of binary messages
/// is handed on as it comes; that of text messages is dropped, as KubeVirt does. Bounded memory whatever the frame
/// says.
class FrameDecoder {
 public:
  /// `expect_masked`: true at the server, whose peers must mask.
  explicit FrameDecoder(bool expect_masked) : expect_masked_(expect_masked) {}

  /// Decodes one step from the front of `input`, unmasking in place. Call again with what is left after `consumed`.
  Decoded next(std::span<std::byte> input);

 private:
  Decoded parse_header(std::span<std::byte> input);
  std::string check_header(std::uint8_t first, std::uint8_t second);
  Decoded take_payload(std::span<std::byte> input);

  bool expect_masked_;
  std::array<std::byte, kMaxFrameHeader> header_{};
  std::size_t header_size_ = 0;  ///< bytes of the header that have come
  bool in_payload_ = false;
  bool in_message_ = false;                 ///< between the fragments of a message
  Opcode message_opcode_ = Opcode::binary;  ///< of the message whose fragments come
  Opcode opcode_ = Opcode::binary;          ///< of the frame
  bool final_ = true;
  bool masked_ = false;
  MaskKey mask_{};
  std::uint64_t payload_left_ = 0;
  std::uint64_t payload_done_ = 0;
  std::array<std::byte, kMaxControlPayload> control_{};
};

}  // namespace usbloop::websocket
