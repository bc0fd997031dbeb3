#include "common/websocket/frame.h"

#include <doctest/doctest.h>

#include <string>

#include "common/net/test_support.h"

using namespace usbloop::websocket;
using usbloop::net::test::random_bytes;

namespace {

std::vector<std::byte> frame(Opcode opcode, std::vector<std::byte> payload, const MaskKey* mask) {
  std::vector<std::byte> out(kMaxFrameHeader + payload.size());
  const std::size_t header = encode_header(std::span(out).first<kMaxFrameHeader>(), opcode, payload.size(), mask);
  if (mask != nullptr) apply_mask(payload, *mask);
  std::copy(payload.begin(), payload.end(), out.begin() + kMaxFrameHeader);
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(kMaxFrameHeader - header));
  return out;
}

std::vector<std::byte> raw(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

/// All data payload of `input`, given to the decoder in pieces of `step` bytes; a violation ends with its reason.
struct Outcome {
  std::vector<std::byte> data;
  int controls = 0;
  std::string violation;
};

Outcome decode(FrameDecoder decoder, std::vector<std::byte> input, std::size_t step) {
  Outcome outcome;
  for (std::size_t at = 0; at < input.size(); at += step) {
    auto piece = std::span(input).subspan(at, std::min(step, input.size() - at));
    while (!piece.empty()) {
      const Decoded decoded = decoder.next(piece);
      if (decoded.kind == Decoded::Kind::violation) {
        outcome.violation = decoded.reason;
        return outcome;
      }
      if (decoded.kind == Decoded::Kind::control) ++outcome.controls;
      if (decoded.kind == Decoded::Kind::data) {
        outcome.data.insert(outcome.data.end(), decoded.payload.begin(), decoded.payload.end());
      }
      piece = piece.subspan(decoded.consumed);
    }
  }
  return outcome;
}

const MaskKey kMask{std::byte{0x12}, std::byte{0x34}, std::byte{0x56}, std::byte{0x78}};

}  // namespace

TEST_CASE("a frame of each length form decodes to its payload, whatever the pieces it comes in") {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U, 70000U}) {
    for (const bool masked : {false, true}) {
      const auto payload = random_bytes(size);
      const auto bytes = frame(Opcode::binary, payload, masked ? &kMask : nullptr);
      for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        const auto outcome = decode(FrameDecoder(masked), bytes, step);
        CHECK(outcome.violation.empty());
        CHECK(outcome.data == payload);
      }
    }
  }
}

TEST_CASE("fragments with control frames between them make one stream of bytes") {
  auto bytes = raw({0x02, 0x02, 'a', 'b'});  // binary, not final
  for (const auto& part : {raw({0x89, 0x01, 'p'}), raw({0x00, 0x01, 'c'}), raw({0x8A, 0x00}), raw({0x80, 0x00})}) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  const auto outcome = decode(FrameDecoder(false), bytes, 1);
  CHECK(outcome.data == raw({'a', 'b', 'c'}));
  CHECK(outcome.controls == 2);
}

TEST_CASE("text messages are dropped, their fragments too") {
  auto bytes = raw({0x01, 0x02, 'h', 'i', 0x80, 0x01, '!'});
  const auto binary = raw({0x82, 0x01, 'x'});
  bytes.insert(bytes.end(), binary.begin(), binary.end());
  CHECK(decode(FrameDecoder(false), bytes, 3).data == raw({'x'}));
}

TEST_CASE("violations are named as the real server names them") {
  const struct {
    std::vector<std::byte> bytes;
    bool expect_masked;
    const char* reason;
  } cases[] = {
      {raw({0xC2, 0x00}), false, "RSV1 set"},
      {raw({0xA2, 0x00}), false, "RSV2 set"},
      {raw({0x92, 0x00}), false, "RSV3 set"},
      {raw({0x83, 0x00}), false, "bad opcode 3"},
      {raw({0x82, 0x01, 'x'}), true, "bad MASK"},
      {raw({0x82, 0x81, 1, 2, 3, 4, 'x'}), false, "bad MASK"},
      {raw({0x89, 0x7E, 0x00, 0x7E}), false, "len > 125 for control"},
      {raw({0x09, 0x00}), false, "FIN not set on control"},
      {raw({0x80, 0x00}), false, "continuation after FIN"},
      {raw({0x02, 0x00, 0x82, 0x00}), false, "data before FIN"},
      {raw({0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0}), false, "payload length has its most significant bit set"},
  };
  for (const auto& item : cases)
    CHECK(decode(FrameDecoder(item.expect_masked), item.bytes, 1).violation == item.reason);
}

TEST_CASE("a mask applied twice from any offset gives the payload back") {
  const auto original = random_bytes(1000);
  for (const std::uint64_t offset : {0ULL, 1ULL, 2ULL, 3ULL, 6ULL, 1ULL << 40U}) {
    auto bytes = original;
    apply_mask(std::span(bytes).first(333), kMask, offset);
    apply_mask(std::span(bytes).subspan(333), kMask, offset + 333);
    CHECK(bytes != original);
    apply_mask(bytes, kMask, offset);
    CHECK(bytes == original);
  }
}

TEST_CASE("close payloads are cut to fit a control frame") {
  CHECK(close_payload(1000, "").size() == 2);
  CHECK(close_payload(1001, std::string(500, 'x')).size() == kMaxControlPayload);
  CHECK(encode_control(Opcode::ping, random_bytes(300), nullptr).size() == 2 + kMaxControlPayload);
}

TEST_CASE("random bytes never break the decoder's bounds") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto outcome = decode(FrameDecoder(seed % 2 == 0), random_bytes(2000, seed), 1 + seed % 97);
    CHECK(outcome.data.size() <= 2000);
  }
}
