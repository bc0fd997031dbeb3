// What goes to the client, except for the streams.
#include <array>
#include <asio/use_awaitable.hpp>

#include "common/net/deadline.h"
#include "kube-sim/http/connection.h"
#include "kube-sim/objects/answer.h"

namespace usbloop::apiserver {

asio::awaitable<bool> Connection::send(const std::string& text) {
  services_.unread_bytes += text.size();
  const net::Deadline deadline(stream_->socket().get_executor(), services_.limits.response,
                               [this] { stream_->close(); });
  const auto written = co_await stream_->write_all(std::as_bytes(std::span(text)));
  services_.unread_bytes -= text.size();
  if (deadline.expired()) services_.refusals.count(Refusal::slow_reader);
  co_return written.has_value();
}

asio::awaitable<Connection::Next> Connection::answer(const Response& response, bool keep_alive) {
  if (observation_ != nullptr) observation_->answers(response.code);
  form_.keep_alive = keep_alive;
  const std::string text = response_text(response, form_);
  const bool sent = co_await send(text);
  co_return sent&& keep_alive ? Next::keep : Next::close;
}

asio::awaitable<Connection::Next> Connection::answer_preflight(bool keep_alive) {
  const Response allowed{204, "", "", {{"Cache-Control", "no-cache, private"}}};
  co_return co_await answer(allowed, keep_alive);
}

asio::awaitable<Connection::Next> Connection::refuse(kube::Status status) {
  constexpr std::chrono::milliseconds kPatience{500};
  constexpr std::size_t kMostDrained = 4 * 1024 * 1024;
  const Response response = answer_status(status);
  co_await answer(response, false);
  stream_->shutdown_write();
  const net::Deadline deadline(stream_->socket().get_executor(), kPatience, [this] { stream_->close(); });
  std::array<std::byte, 8192> bytes{};
  for (std::size_t drained = 0; drained < kMostDrained;) {
    const auto count = co_await stream_->read_some(bytes);
    if (!count || *count == 0) break;
    drained += *count;
  }
  co_return Next::close;
}

}  // namespace usbloop::apiserver
