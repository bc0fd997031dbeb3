#include "client/outside_session.h"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace usbloop::client {

namespace {

/// QEMU says less than 100 bytes before it has heard of a device.
constexpr std::size_t kMostKept = 64 * 1024;

/// From the end of either side to the end of the connection.
constexpr std::chrono::milliseconds kLastWords{600};

SessionEnd program_ended(std::string cause) {
  return {SessionEnd::Cause::device,
          {},
          Error{ErrorKind::unavailable, "go on with", "the redirection", std::move(cause), ""}};
}

}  // namespace

OutsideSession::OutsideSession(const asio::any_io_executor& executor, websocket::Channel& channel,
                               net::Listener& listener)
    : executor_(executor),
      channel_(channel),
      listener_(listener),
      change_(executor, asio::steady_timer::time_point::max()) {}

asio::awaitable<SessionEnd> OutsideSession::run(std::function<void()> on_connected) {
  using asio::experimental::awaitable_operators::operator&&;
  channel_.on_peer_gone([this](const Error& error) { finish({SessionEnd::Cause::lost, {}, error}); });
  const auto accept = [this, &on_connected]() -> asio::awaitable<void> {
    auto stream = co_await listener_.accept();
    if (stream && !end_) {
      program_ = std::move(*stream);
      on_connected();
    } else if (!stream) {
      finish({SessionEnd::Cause::device, {}, stream.error()});
    }
    co_await program_to_far();
  };
  co_await (far_to_program() && accept());
  channel_.on_peer_gone(nullptr);
  last_word_.reset();
  co_return *end_;
}

void OutsideSession::finish(SessionEnd end) {
  if (end_) return;
  end_ = std::move(end);
  listener_.close();
  if (program_) program_->close();
  last_word_.emplace(executor_, kLastWords, [this] { channel_.abort(); });
  change_.cancel();
}

/// Passes on what the guest says until its side ends.
asio::awaitable<void> OutsideSession::far_to_program() {
  while (true) {
    const auto payload = co_await channel_.read();
    if (!payload || payload->empty()) {
      const auto& close = channel_.close_info();
      const bool is_closed = payload && close.code != 1006;
      finish({is_closed ? SessionEnd::Cause::closed : SessionEnd::Cause::lost, close,
              payload ? std::nullopt : std::optional(payload.error())});
      co_return;
    }
    if (!passes_) {
      const bool goes_on = co_await keep_for_program(*payload);
      if (goes_on) continue;
      break;
    }
    const auto written = co_await program_->write_all(*payload);
    if (!written) break;
  }
  // The program takes no more: its reader says why, and what is under way to it is of no use.
  co_await channel_.drain();
}

/// False at the end of the session.
asio::awaitable<bool> OutsideSession::keep_for_program(std::span<const std::byte> payload) {
  kept_.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  while (!end_ && !passes_ && kept_.size() > kMostKept) {
    asio::error_code ignored;
    co_await change_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return !end_.has_value();
}

/// False when the program does not take it.
asio::awaitable<bool> OutsideSession::give_what_was_kept() {
  while (!kept_.empty()) {
    const std::string text = std::exchange(kept_, {});
    change_.cancel();
    const auto written = co_await program_->write_all(std::as_bytes(std::span(text)));
    if (!written) co_return false;
  }
  passes_ = true;
  change_.cancel();
  co_return true;
}

/// Passes on what the program says until it ends, or the far side takes no more.
asio::awaitable<Result<>> OutsideSession::pump_program() {
  while (true) {
    if (program_->turn_is_over()) co_await program_->take_turns();
    const net::IoResult got = program_->try_read(channel_.write_buffer());
    if (got.status == net::IoStatus::ok) {
      if (channel_.start_write(got.bytes)) continue;
      auto written = co_await channel_.finish_write();
      if (!written) co_return written;
      continue;
    }
    channel_.release_write_buffer();
    if (got.status == net::IoStatus::end || got.status == net::IoStatus::failed) co_return Result<>();
    const auto ready = co_await program_->wait(got.status);
    if (!ready) co_return Result<>();
  }
}

asio::awaitable<void> OutsideSession::program_to_far() {
  if (!end_) {
    const bool is_ready = co_await give_what_was_kept();
    Result<> taken;
    if (is_ready) taken = co_await pump_program();
    finish(taken ? program_ended("the program has closed its connection")
                 : SessionEnd{SessionEnd::Cause::lost, {}, taken.error()});
  }
  const std::string no_reason;
  static_cast<void>(co_await channel_.close(1000, no_reason));  // an error: the far side has gone first
}

}  // namespace usbloop::client
