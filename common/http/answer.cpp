#include "common/http/answer.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "common/ascii_text.h"
#include "common/http/chunked_body.h"
#include "common/http/content_length.h"
#include "common/http/head_grammar.h"

namespace usbloop::http {
namespace {

constexpr std::size_t kReadBytes = 4096;

tl::unexpected<Error> malformed_answer(const char* cause) {
  return make_error(ErrorKind::protocol, "read", "the answer", cause);
}

asio::awaitable<Result<std::size_t>> read_stream(net::Stream& stream, std::string& text) {
  const std::size_t size = text.size();
  text.resize(size + kReadBytes);
  const auto room = std::as_writable_bytes(std::span(text).subspan(size));
  const auto got = co_await stream.read_some(room);
  text.resize(size + got.value_or(0));
  co_return got;
}

/// RFC 9112 section 6.3, the first rule: whatever the fields say.
bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

asio::awaitable<Result<Body>> read_chunks(const ReadMore& read_more, std::string bytes, std::size_t most) {
  using State = ChunkedBody::State;
  ChunkedBody chunks(most);
  while (true) {
    std::size_t used = 0;
    const State state = chunks.take(bytes, used);
    if (state == State::malformed) co_return malformed_answer("malformed chunks");
    if (state == State::complete) co_return Body{chunks.release(), Body::End::complete};
    if (state == State::too_large) co_return Body{chunks.release(), Body::End::too_long};
    bytes.clear();
    const auto more = co_await read_more(bytes);
    if (!more || *more == 0) co_return Body{chunks.release(), Body::End::lost};
  }
}

asio::awaitable<Result<Body>> read_bytes(const ReadMore& read_more, std::string text,
                                         std::optional<std::uint64_t> length, std::size_t most) {
  const std::size_t wanted = length ? static_cast<std::size_t>(std::min<std::uint64_t>(*length, most)) : most + 1;
  auto end = length && *length > most ? Body::End::too_long : Body::End::complete;
  while (text.size() < wanted) {
    const auto more = co_await read_more(text);
    if (more && *more > 0) continue;
    if ((!more || length) && end == Body::End::complete) end = Body::End::lost;
    break;
  }
  if (!length && text.size() > most) end = Body::End::too_long;
  text.resize(std::min({text.size(), wanted, most}));
  co_return Body{std::move(text), end};
}

}  // namespace

ReadMore reader_of(net::Stream& stream) {
  return [&stream](std::string& text) { return read_stream(stream, text); };
}

asio::awaitable<Result<std::size_t>> read_head(const ReadMore& read_more, std::string& text) {
  while (true) {
    const auto length = head_length(text);
    if (length.value_or(text.size()) > kMaxHeadBytes) {
      co_return make_error(ErrorKind::protocol, "read", "the HTTP head", "the head is too long");
    }
    if (length) co_return *length;
    const auto more = co_await read_more(text);
    if (!more) co_return tl::unexpected(more.error());
    if (*more == 0) co_return make_error(ErrorKind::unavailable, "read", "the HTTP head", "unexpected EOF");
  }
}

asio::awaitable<Result<Answer>> read_answer(const ReadMore& read_more) {
  std::string text;
  const auto length = co_await read_head(read_more, text);
  if (!length) co_return tl::unexpected(length.error());
  auto head = parse_response_head(std::string_view(text).substr(0, *length));
  if (!head) co_return tl::unexpected(std::move(head.error()));
  Answer answer;
  answer.head = std::move(*head);
  answer.rest = text.substr(*length);
  co_return answer;
}

asio::awaitable<Result<Body>> read_body(const ReadMore& read_more, const Head& head, std::string begin,
                                        std::size_t most) {
  if (has_no_body(head.status)) co_return Body();
  const auto length = content_length(head);
  if (!length) co_return tl::unexpected(length.error());
  if (head.has_header("Transfer-Encoding")) {
    // With both, two readers could disagree about where the answer ends.
    if (*length) co_return malformed_answer("it has a coding and a length");
    if (!equal_ignoring_case(head.header("Transfer-Encoding"), "chunked")) {
      co_return malformed_answer("of all transfer codings only chunked is known");
    }
    co_return co_await read_chunks(read_more, std::move(begin), most);
  }
  co_return co_await read_bytes(read_more, std::move(begin), *length, most);
}

}  // namespace usbloop::http
