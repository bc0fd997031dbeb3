#include "common/websocket/connect.h"

#include <algorithm>
#include <asio/this_coro.hpp>
#include <chrono>
#include <cstring>

#include "common/net/deadline.h"
#include "common/net/stream.h"
#include "common/net/tls.h"
#include "common/websocket/handshake.h"

namespace usbloop::websocket {
namespace {

constexpr std::size_t kMaxRefusalBytes = 64 * 1024;
constexpr const char* kUserAgent = "usbloop/" USBLOOP_VERSION;

using Clock = std::chrono::steady_clock;

/// Never zero: a deadline that has passed fails at once.
std::chrono::milliseconds until(Clock::time_point end) {
  return std::max(std::chrono::milliseconds(1), std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
}

asio::awaitable<Result<net::StreamPtr>> open_stream(const kube::ClusterAccess& access, Clock::time_point end) {
  auto stream = co_await net::connect_tcp(access.host, access.port, until(end));
  if (!stream || !access.tls) co_return stream;
  const auto context = net::TlsContext::client(access.ca_pem, !access.insecure_skip_tls_verify, access.client_cert_pem,
                                               access.client_key_pem);
  if (!context) co_return tl::unexpected(context.error());
  const std::string& name = access.tls_server_name.empty() ? access.host : access.tls_server_name;
  co_return co_await net::tls_connect(*context, std::move(*stream), name, until(end));
}

/// "host:port" as the Host header wants it.
std::string host_header(const kube::ClusterAccess& access) {
  const bool ipv6 = access.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + access.host + "]" : access.host) + ":" + std::to_string(access.port);
}

asio::awaitable<Result<std::size_t>> read_more(net::Stream& stream, std::string& text) {
  const std::size_t old_size = text.size();
  text.resize(old_size + 4096);
  const auto got = co_await stream.read_some(std::as_writable_bytes(std::span(text).subspan(old_size)));
  text.resize(old_size + (got ? *got : 0));
  co_return got;
}

/// Reads a response head into `text`, which may hold more than the head at the end. Returns the head's length.
asio::awaitable<Result<std::size_t>> read_head(net::Stream& stream, std::string& text) {
  while (true) {
    if (const auto length = head_length(text)) co_return *length;
    if (text.size() > kMaxHeadBytes) {
      co_return make_error(ErrorKind::protocol, "read", "the server's answer", "its head is too long");
    }
    const auto got = co_await read_more(stream, text);
    if (!got) co_return tl::unexpected(got.error());
    if (*got == 0) co_return make_error(ErrorKind::unavailable, "read", "the server's answer", "unexpected EOF");
  }
}

/// Takes the chunks of a body apart (RFC 9112 section 7.1); what does not parse ends it.
std::string join_chunks(std::string_view text) {
  std::string body;
  while (!text.empty()) {
    const auto line_end = text.find("\r\n");
    if (line_end == std::string_view::npos) break;
    const std::size_t size = std::strtoul(std::string(text.substr(0, line_end)).c_str(), nullptr, 16);
    text.remove_prefix(line_end + 2);
    if (size == 0 || size > text.size()) break;
    body += text.substr(0, size);
    text.remove_prefix(std::min(size + 2, text.size()));
  }
  return body;
}

/// The body of a refusal, as far as it comes within the limits: a cut body is still worth showing.
asio::awaitable<Refusal> read_refusal(net::Stream& stream, const Head& head, std::string body) {
  const bool chunked = head.has_token("Transfer-Encoding", "chunked");
  std::size_t wanted = kMaxRefusalBytes;
  if (head.has_header("Content-Length")) {
    wanted = std::min<std::size_t>(wanted, std::strtoul(head.header("Content-Length").c_str(), nullptr, 10));
  }
  while (body.size() < wanted && !(chunked && body.ends_with("0\r\n\r\n"))) {
    const auto got = co_await read_more(stream, body);
    if (!got || *got == 0) break;
  }
  body.resize(std::min(body.size(), wanted));
  co_return Refusal{head.status, head.header("Content-Type"), chunked ? join_chunks(body) : body};
}

/// The handshake on an open stream; `text` keeps the stream's bytes beyond what was used.
asio::awaitable<Result<Opened>> shake_hands(net::StreamPtr stream, std::string request, std::string key,
                                            ChannelOptions options) {
  if (auto sent = co_await stream->write_all(std::as_bytes(std::span(request))); !sent) {
    co_return tl::unexpected(sent.error());
  }
  std::string text;
  const auto length = co_await read_head(*stream, text);
  if (!length) co_return tl::unexpected(length.error());
  const auto head = parse_response_head(std::string_view(text).substr(0, *length));
  if (!head) co_return tl::unexpected(head.error());
  const std::string rest = text.substr(*length);

  Opened opened;
  if (head->status != 101) {
    opened.refusal = co_await read_refusal(*stream, *head, rest);
    co_return opened;
  }
  if (auto valid = check_upgrade_response(*head, key); !valid) co_return tl::unexpected(valid.error());
  opened.channel = std::make_unique<Channel>(std::move(stream), Role::client, options, std::as_bytes(std::span(rest)));
  co_return opened;
}

}  // namespace

asio::awaitable<Result<Opened>> connect(const kube::ClusterAccess& access, std::string path, ChannelOptions options,
                                        std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  auto stream = co_await open_stream(access, end);
  if (!stream) co_return tl::unexpected(stream.error());
  const std::string key = new_key();
  std::string request = upgrade_request(access.path_prefix + path, host_header(access), key,
                                        access.authorization().value_or(""), kUserAgent);

  const net::Deadline deadline((*stream)->socket().get_executor(), until(end), [raw = stream->get()] { raw->close(); });
  auto opened = co_await shake_hands(std::move(*stream), std::move(request), key, options);
  if (!opened && deadline.expired()) {
    co_return make_error(ErrorKind::timeout, "open", "the websocket", "the server did not answer in time");
  }
  co_return opened;
}

}  // namespace usbloop::websocket
