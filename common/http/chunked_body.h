#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace usbloop::http {

/// The chunked coding of a request's body (RFC 9112 section 7.1), taken apart as its bytes come. Strict: a size is
/// hexadecimal digits and nothing else, a line ends with CR LF, data with CR LF behind its last byte. Extensions and
/// trailers have to be what they are called, and are left. No I/O.
class ChunkedBody {
 public:
  enum class State { more, complete, malformed, too_large };

  /// `most`: bytes of content that may come. What is not content may be as much again.
  explicit ChunkedBody(std::size_t most) : most_(most) {}

  /// Takes what belongs to the body, at most all of `bytes`; how many those were is added to `used`. After any other
  /// answer than `more` it must not be called again.
  State take(std::string_view bytes, std::size_t& used);

  /// The content that has come. Leaves nothing.
  std::string release() { return std::move(content_); }

 private:
  enum class At { size, extension, size_end, data, data_cr, data_lf, trailer_begin, trailer, trailer_lf, end_lf };

  State take_byte(char c);
  State take_size_byte(char c);
  State take_line_byte(char c);
  State take_trailer_byte(char c);
  State begin_chunk();

  const std::size_t most_;
  std::string content_;
  At at_ = At::size;
  std::uint64_t size_ = 0;   ///< of the present chunk; while there is data: what is still to come
  std::size_t digits_ = 0;   ///< of the present size
  std::string line_;         ///< the present extensions or trailer; bounded
  std::size_t framing_ = 0;  ///< bytes that were no content
};

}  // namespace usbloop::http
