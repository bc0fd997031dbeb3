#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/error.h"
#include "common/http/head.h"

// The text of heads, by the grammar of RFC 9112 and RFC 9110 and no more: what two readers could read in two ways is
// refused. This is the only place that reads it.
namespace usbloop::http {

/// The head of a request that has been read.
struct HeadText {
  Head fields;          ///< field lines in their order, values without the blanks around them; target: origin form
  bool is_1_0 = false;  ///< HTTP/1.0
};

/// Why a request's head is refused.
struct HeadRefusal {
  int code = 400;  ///< HTTP status
  std::string message;
};

/// "HOST", "HOST:PORT", "[ADDRESS]:PORT"; the name may be empty (RFC 9110 section 7.2).
bool is_authority(std::string_view text);

/// Whether the bytes can go on to be a head: no control byte but the tab, and line breaks only as CR LF.
bool may_become_head(std::string_view bytes);

/// Reads a whole head, its empty line included. The refusal, after which the connection has to end: 400 for what is not
/// the grammar, 501 for a method that is not known (RFC 9110 section 9.1), 505 for another version (15.6.6).
tl::expected<HeadText, HeadRefusal> parse_request_head(std::string_view text);

/// Reads the whole head of an answer. ErrorKind::protocol for anything that is not HTTP/1.x.
Result<Head> parse_response_head(std::string_view text);

/// The length of a field's name at the front of a line: token bytes with a colon right behind them. 0 when that is not
/// how the line begins.
std::size_t field_name_length(std::string_view line);

}  // namespace usbloop::http
