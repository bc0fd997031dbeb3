// What comes from the client, and the heads in it.
#include <array>
#include <asio/use_awaitable.hpp>

#include "common/log.h"
#include "common/net/deadline.h"
#include "kube-sim/http/connection.h"

namespace usbloop::apiserver {

/// Reads what is there. No coroutine, so that the bytes' room is on the stack: an idle connection has none.
net::IoResult Connection::take() {
  std::array<std::byte, 16'384> bytes{};
  const net::IoResult result = stream_->try_read(bytes);
  if (result.status == net::IoStatus::ok) buffer_.append(reinterpret_cast<const char*>(bytes.data()), result.bytes);
  return result;
}

std::chrono::milliseconds Connection::time_until(Clock::time_point end) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
}

asio::awaitable<Connection::Read> Connection::read_more(std::chrono::milliseconds time) {
  if (time.count() <= 0) co_return Read::late;
  const net::Deadline deadline(stream_->socket().get_executor(), time, [this] { stream_->close(); });
  while (true) {
    const net::IoResult result = take();
    if (result.status == net::IoStatus::ok) co_return Read::came;
    if (result.status == net::IoStatus::end || result.status == net::IoStatus::failed) co_return Read::ended;
    const auto ready = co_await stream_->wait(result.status);
    if (!ready) co_return deadline.expired() ? Read::late : Read::ended;
  }
}

std::optional<kube::Status> Connection::refuse_beginning() {
  if (!http::may_become_head(buffer_)) {
    services_.refusals.count(Refusal::bad_request);
    return head_refusal(400, "the request is not valid HTTP/1.1");
  }
  if (buffer_.size() <= http::kMaxHeadBytes) return std::nullopt;
  spdlog::info("connection: refused a request head of more than {} bytes", http::kMaxHeadBytes);
  services_.refusals.count(Refusal::head_too_large);
  const bool in_target = std::string_view(buffer_).substr(0, http::kMaxHeadBytes).find('\n') == buffer_.npos;
  return in_target ? head_refusal(414, "the target of the request is too long") : kube::request_header_too_large();
}

asio::awaitable<std::optional<std::size_t>> Connection::read_head() {
  if (buffer_.empty()) {
    std::string().swap(buffer_);  // a large body's room is not kept while nothing comes
    const Read first = co_await read_more(services_.limits.idle);
    if (first == Read::late) services_.refusals.count(Refusal::idle);
    if (first != Read::came) co_return std::nullopt;
  }
  const auto end = Clock::now() + services_.limits.head;
  while (true) {
    idle_ = false;
    const auto length = http::head_length(buffer_);
    if (length && *length <= http::kMaxHeadBytes) co_return length;
    if (const auto refused = refuse_beginning()) {
      co_await refuse(*refused);
      co_return std::nullopt;
    }
    const Read more = co_await read_more(time_until(end));
    if (more == Read::late) services_.refusals.count(Refusal::slow_head);
    if (more != Read::came) {
      spdlog::debug("connection: ended within a request head");
      co_return std::nullopt;
    }
  }
}

}  // namespace usbloop::apiserver
