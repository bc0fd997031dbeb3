#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <string>

#include "common/error.h"
#include "common/http/head.h"
#include "common/net/stream.h"

// Heads and the bodies of answers as they come from a stream. Everything read has a bound; time is the caller's.
namespace usbloop::http {

/// Appends what comes next to the text. The number of bytes, 0 at the end of the stream.
using ReadMore = std::function<asio::awaitable<Result<std::size_t>>(std::string& text)>;

/// Reads the stream's bytes. The stream must outlive it.
ReadMore reader_of(net::Stream& stream);

/// Reads until `text` holds a head, and perhaps more. Returns the head's length. ErrorKind::protocol for a head of more
/// than kMaxHeadBytes, ErrorKind::unavailable when the stream ends in it.
asio::awaitable<Result<std::size_t>> read_head(const ReadMore& read_more, std::string& text);

struct Answer {
  Head head;
  std::string rest;  ///< the bytes that came behind the head
};

/// Reads the head of an answer.
asio::awaitable<Result<Answer>> read_answer(const ReadMore& read_more);

struct Body {
  enum class End {
    complete,  ///< the whole body, as long as the head or the end of the stream said
    too_long,  ///< there would be more
    lost       ///< the stream ended or broke in it
  };
  std::string text;  ///< as much as came, within the bound
  End end = End::complete;
};

/// Reads the body of an answer to anything but HEAD (RFC 9112 section 6.3), of which `begin` came behind the head, up
/// to `most` bytes. ErrorKind::protocol when what says where it ends is malformed.
asio::awaitable<Result<Body>> read_body(const ReadMore& read_more, const Head& head, std::string begin,
                                        std::size_t most);

}  // namespace usbloop::http
