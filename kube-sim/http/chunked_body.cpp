#include "kube-sim/http/chunked_body.h"

#include <algorithm>

#include "common/ascii_text.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kMostDigits = 8;  // 4 GiB: more than any limit, less than could overflow

/// The value of a hexadecimal digit, or -1.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What may stand in an extension or a trailer; CR and LF have a meaning of their own there.
bool is_line_byte(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); }

}  // namespace

ChunkedBody::State ChunkedBody::take(std::string_view bytes, std::size_t& used) {
  for (std::size_t i = 0; i < bytes.size();) {
    if (at_ == At::data) {
      const std::size_t count = std::min<std::uint64_t>(size_, bytes.size() - i);
      content_.append(bytes.substr(i, count));
      size_ -= count;
      i += count;
      used += count;
      if (size_ == 0) at_ = At::data_cr;
      continue;
    }
    ++used;
    if (++framing_ > most_) return State::too_large;
    const State state = take_byte(bytes[i++]);
    if (state != State::more) return state;
  }
  return State::more;
}

ChunkedBody::State ChunkedBody::take_byte(char c) {
  switch (at_) {
    case At::size:
    case At::extension:
    case At::size_end: return take_size_byte(c);
    case At::data_cr: at_ = At::data_lf; return c == '\r' ? State::more : State::malformed;
    case At::data_lf: at_ = At::size; return c == '\n' ? State::more : State::malformed;
    default: return take_trailer_byte(c);
  }
}

ChunkedBody::State ChunkedBody::take_size_byte(char c) {
  if (at_ == At::size_end) return c == '\n' ? begin_chunk() : State::malformed;
  if (c == '\r') {
    at_ = At::size_end;
    return digits_ > 0 ? State::more : State::malformed;
  }
  if (at_ == At::extension) return is_line_byte(c) ? State::more : State::malformed;
  if (c == ';' && digits_ > 0) {
    at_ = At::extension;
    return State::more;
  }
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > kMostDigits) return State::malformed;
  size_ = size_ * 16 + static_cast<std::uint64_t>(value);
  return State::more;
}

ChunkedBody::State ChunkedBody::begin_chunk() {
  digits_ = 0;
  at_ = size_ == 0 ? At::trailer_begin : At::data;
  // Judged by the announced size: no byte of a chunk that is too large needs to come.
  return content_.size() + size_ > most_ ? State::too_large : State::more;
}

ChunkedBody::State ChunkedBody::take_trailer_byte(char c) {
  switch (at_) {
    case At::trailer_lf: at_ = At::trailer_begin; return c == '\n' ? State::more : State::malformed;
    case At::end_lf: return c == '\n' ? State::complete : State::malformed;
    case At::trailer_begin:
      at_ = c == '\r' ? At::end_lf : At::trailer;
      return c == '\r' || is_token_byte(c) ? State::more : State::malformed;
    default: break;
  }
  if (c == '\r') at_ = At::trailer_lf;
  return c == '\r' || is_line_byte(c) ? State::more : State::malformed;
}

}  // namespace usbloop::apiserver
