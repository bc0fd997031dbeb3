#include "common/http/chunked_body.h"

#include <algorithm>

#include "common/ascii_text.h"
#include "common/http/head_grammar.h"

namespace usbloop::http {
namespace {

constexpr std::size_t kMostDigits = 8;  // 4 GiB: more than any limit, less than could overflow
constexpr std::size_t kMostLineBytes = 4096;

/// What may stand in an extension or a trailer; CR and LF have a meaning of their own there.
bool is_line_byte(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f'); }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
}

/// Takes the bytes of a token off the front; false when there are none.
bool take_token(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_token_byte);
  const auto length = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(length);
  return length > 0;
}

/// Takes a quoted string off the front (RFC 9110 section 5.6.4); false when it does not end.
bool take_quoted(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

/// What stands between a chunk's size and the end of its line (RFC 9112 section 7.1.1).
bool are_extensions(std::string_view text) {
  while (!text.empty()) {
    skip_blanks(text);
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    skip_blanks(text);
    if (!take_token(text)) return false;
    std::string_view value = text;
    skip_blanks(value);
    if (!value.starts_with('=')) continue;
    value.remove_prefix(1);
    skip_blanks(value);
    text = value;
    if (!(text.starts_with('"') ? take_quoted(text) : take_token(text))) return false;
  }
  return true;
}

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

ChunkedBody::State ChunkedBody::take_line_byte(char c) {
  line_ += c;
  if (line_.size() > kMostLineBytes) return State::too_large;
  return is_line_byte(c) ? State::more : State::malformed;
}

ChunkedBody::State ChunkedBody::take_size_byte(char c) {
  if (at_ == At::size_end) return c == '\n' ? begin_chunk() : State::malformed;
  if (c == '\r') {
    at_ = At::size_end;
    return digits_ > 0 && are_extensions(line_) ? State::more : State::malformed;
  }
  if (at_ == At::extension) return take_line_byte(c);
  if (digits_ > 0 && (c == ';' || is_blank(c))) {
    at_ = At::extension;
    return take_line_byte(c);
  }
  const int value = hex_value(c);
  if (value < 0 || ++digits_ > kMostDigits) return State::malformed;
  size_ = size_ * 16 + static_cast<std::uint64_t>(value);
  return State::more;
}

ChunkedBody::State ChunkedBody::begin_chunk() {
  digits_ = 0;
  line_.clear();
  at_ = size_ == 0 ? At::trailer_begin : At::data;
  // Judged by the announced size: no byte of a chunk that is too large needs to come.
  return content_.size() + size_ > most_ ? State::too_large : State::more;
}

ChunkedBody::State ChunkedBody::take_trailer_byte(char c) {
  switch (at_) {
    case At::trailer_lf: at_ = At::trailer_begin; return c == '\n' ? State::more : State::malformed;
    case At::end_lf: return c == '\n' ? State::complete : State::malformed;
    default: break;
  }
  if (c != '\r') {
    at_ = At::trailer;
    return take_line_byte(c);
  }
  const bool is_last = at_ == At::trailer_begin;
  at_ = is_last ? At::end_lf : At::trailer_lf;
  const bool is_field = is_last || field_name_length(line_) > 0;
  line_.clear();
  return is_field ? State::more : State::malformed;
}

}  // namespace usbloop::http
