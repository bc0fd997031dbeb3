#include "common/websocket/frame.h"

#include <algorithm>
#include <cstring>

namespace usbloop::websocket {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kMasked = 0x80;

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 0x8; }

/// Length of the whole header, which its second byte tells.
std::size_t header_length(std::uint8_t second) {
  const unsigned length = second & 0x7FU;
  std::size_t size = 2;
  if (length == 126) size += 2;
  if (length == 127) size += 8;
  if ((second & kMasked) != 0) size += 4;
  return size;
}

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  return value;
}

Decoded violation(std::string reason) { return {Decoded::Kind::violation, 0, Opcode::close, {}, std::move(reason)}; }

}  // namespace

void apply_mask(std::span<std::byte> bytes, const MaskKey& key, std::uint64_t offset) {
  std::array<std::byte, 8> pattern{};
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = key[(offset + i) % key.size()];
  std::uint64_t word_pattern = 0;
  std::memcpy(&word_pattern, pattern.data(), sizeof(word_pattern));

  // Four words at a time, which the compiler makes wide instructions of.
  std::size_t at = 0;
  for (std::array<std::uint64_t, 4> words{}; at + sizeof(words) <= bytes.size(); at += sizeof(words)) {
    std::memcpy(words.data(), bytes.data() + at, sizeof(words));
    for (std::uint64_t& word : words) word ^= word_pattern;
    std::memcpy(bytes.data() + at, words.data(), sizeof(words));
  }
  for (; at + sizeof(word_pattern) <= bytes.size(); at += sizeof(word_pattern)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    word ^= word_pattern;
    std::memcpy(bytes.data() + at, &word, sizeof(word));
  }
  for (; at < bytes.size(); ++at) bytes[at] ^= pattern[at % pattern.size()];
}

std::size_t encode_header(std::span<std::byte, kMaxFrameHeader> room, Opcode opcode, std::size_t payload_size,
                          const MaskKey* mask) {
  const std::uint8_t mask_bit = mask != nullptr ? kMasked : 0;
  std::array<std::byte, kMaxFrameHeader> header{};
  std::size_t size = 0;
  const auto put = [&](std::uint64_t value) { header[size++] = static_cast<std::byte>(value); };

  put(kFinal | static_cast<std::uint8_t>(opcode));
  if (payload_size <= 125) {
    put(mask_bit | payload_size);
  } else if (payload_size <= 0xFFFF) {
    put(mask_bit | 126U);
    put(payload_size >> 8U);
    put(payload_size & 0xFFU);
  } else {
    put(mask_bit | 127U);
    for (unsigned shift = 64; shift > 0; shift -= 8) put(payload_size >> (shift - 8) & 0xFFU);
  }
  if (mask != nullptr) {
    for (const std::byte byte : *mask) header[size++] = byte;
  }
  std::copy_n(header.begin(), size, room.end() - static_cast<std::ptrdiff_t>(size));
  return size;
}

std::vector<std::byte> encode_control(Opcode opcode, std::span<const std::byte> payload, const MaskKey* mask) {
  payload = payload.first(std::min(payload.size(), kMaxControlPayload));
  std::array<std::byte, kMaxFrameHeader> room{};
  const std::size_t header_size = encode_header(room, opcode, payload.size(), mask);
  std::vector<std::byte> frame(room.end() - static_cast<std::ptrdiff_t>(header_size), room.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  if (mask != nullptr) apply_mask(std::span(frame).subspan(header_size), *mask);
  return frame;
}

std::vector<std::byte> close_payload(std::uint16_t code, std::string_view reason) {
  reason = reason.substr(0, kMaxControlPayload - sizeof(code));
  std::vector<std::byte> payload{static_cast<std::byte>(code >> 8U), static_cast<std::byte>(code & 0xFFU)};
  const auto text = std::as_bytes(std::span(reason));
  payload.insert(payload.end(), text.begin(), text.end());
  return payload;
}

Decoded FrameDecoder::next(std::span<std::byte> input) {
  return in_payload_ ? take_payload(input) : parse_header(input);
}

Decoded FrameDecoder::parse_header(std::span<std::byte> input) {
  std::size_t consumed = 0;
  const auto fill_to = [&](std::size_t size) {
    while (header_size_ < size && consumed < input.size()) header_[header_size_++] = input[consumed++];
    return header_size_ >= size;
  };
  if (!fill_to(2)) return {Decoded::Kind::need_more, consumed};
  const auto first = std::to_integer<std::uint8_t>(header_[0]);
  const auto second = std::to_integer<std::uint8_t>(header_[1]);
  if (std::string reason = check_header(first, second); !reason.empty()) return violation(std::move(reason));
  const std::size_t length = header_length(second);
  if (!fill_to(length)) return {Decoded::Kind::need_more, consumed};

  opcode_ = static_cast<Opcode>(first & 0x0FU);
  final_ = (first & kFinal) != 0;
  masked_ = (second & kMasked) != 0;
  if (masked_) std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(length - 4), 4, mask_.begin());
  const auto extended = std::span(header_).subspan(2, length - 2 - (masked_ ? 4 : 0));
  payload_left_ = extended.empty() ? second & 0x7FU : big_endian(extended);
  if (payload_left_ >> 63U != 0) return violation("payload length has its most significant bit set");
  payload_done_ = 0;
  header_size_ = 0;
  in_payload_ = true;
  if (!is_control(opcode_)) {
    if (opcode_ != Opcode::continuation) message_opcode_ = opcode_;
    in_message_ = !final_;
  }
  Decoded decoded = take_payload(input.subspan(consumed));
  decoded.consumed += consumed;
  return decoded;
}

std::string FrameDecoder::check_header(std::uint8_t first, std::uint8_t second) {
  if ((first & 0x40U) != 0) return "RSV1 set";
  if ((first & 0x20U) != 0) return "RSV2 set";
  if ((first & 0x10U) != 0) return "RSV3 set";
  const unsigned opcode = first & 0x0FU;
  const bool final = (first & kFinal) != 0;
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
      if ((second & 0x7FU) > kMaxControlPayload) return "len > 125 for control";
      if (!final) return "FIN not set on control";
      break;
    case Opcode::text:
    case Opcode::binary:
      if (in_message_) return "data before FIN";
      break;
    case Opcode::continuation:
      if (!in_message_) return "continuation after FIN";
      break;
    default: return "bad opcode " + std::to_string(opcode);
  }
  if (((second & kMasked) != 0) != expect_masked_) return "bad MASK";
  return {};
}

Decoded FrameDecoder::take_payload(std::span<std::byte> input) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, input.size()));
  const auto part = input.first(size);
  if (masked_) apply_mask(part, mask_, payload_done_);
  if (is_control(opcode_))
    std::copy(part.begin(), part.end(), control_.begin() + static_cast<std::ptrdiff_t>(payload_done_));
  payload_left_ -= size;
  payload_done_ += size;
  in_payload_ = payload_left_ > 0;

  if (is_control(opcode_)) {
    if (in_payload_) return {Decoded::Kind::need_more, size};
    return {Decoded::Kind::control, size, opcode_, std::span(control_).first(static_cast<std::size_t>(payload_done_))};
  }
  if (size == 0 && in_payload_) return {Decoded::Kind::need_more, 0};
  const bool wanted = message_opcode_ == Opcode::binary;
  return {Decoded::Kind::data, size, message_opcode_,
          wanted ? std::span<const std::byte>(part) : std::span<const std::byte>{}};
}

}  // namespace usbloop::websocket
