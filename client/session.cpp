#include "client/session.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <utility>

#include "client/wakeup.h"
#include "common/net/deadline.h"

namespace usbloop::client {

using usbredir::HostState;

class Session::Impl : public std::enable_shared_from_this<Session::Impl> {
 public:
  Impl(const asio::any_io_executor& executor, usbredir::HostEnd& host, websocket::Channel& channel,
       SessionOptions options)
      : executor_(executor),
        host_(host),
        channel_(channel),
        options_(std::move(options)),
        output_(executor),
        input_(executor) {}

  asio::awaitable<SessionEnd> run() {
    listen_for_wakes();
    // Both directions may be waiting for the device.
    channel_.on_peer_gone([weak = weak_from_this()](const Error& error) {
      if (const auto self = weak.lock()) self->end_with_error(error);
    });
    const net::Deadline hello(executor_, options_.hello_timeout, [this] { give_up_waiting(); });
    asio::co_spawn(
        executor_, [self = shared_from_this()] { return self->carry_input(); }, asio::detached);
    co_await carry_output();
    co_await finish();
    host_.set_wake(nullptr);
    co_return end_.value_or(SessionEnd{});
  }

  void stop() {
    if (end_) return;
    end_ = SessionEnd{SessionEnd::Cause::stopped, {}, {}};
    // Taking the device back may last as long as its reset. The time to say goodbye begins after it.
    host_.disconnect();
    begin_closing();
    notify();
  }

 private:
  void listen_for_wakes() {
    const std::weak_ptr<Impl> weak = weak_from_this();
    const auto scheduled = std::make_shared<std::atomic<bool>>(false);
    host_.set_wake([weak, scheduled, executor = executor_] {
      if (scheduled->exchange(true)) return;  // one look is enough for many wakes
      asio::post(executor, [weak, scheduled] {
        scheduled->store(false);
        if (const auto self = weak.lock()) self->notify();
      });
    });
  }

  void notify() {
    output_.notify();
    input_.notify();
  }

  void give_up_waiting() {
    if (host_.state() != HostState::waiting || end_) return;
    end_ = SessionEnd{SessionEnd::Cause::not_served, {}, {}};
    notify();
  }

  /// From here on, what does not finish in time is cut.
  void begin_closing() {
    if (!closing_) closing_.emplace(executor_, options_.close_timeout, [this] { channel_.abort(); });
  }

  /// Sends what carry_input() could not send at once, and what the device has to say by itself.
  asio::awaitable<void> carry_output() {
    while (!end_) {
      if (sending_) {
        const auto sent = co_await finish_sending();
        if (!sent && !end_) end_with_error(sent.error());
        continue;
      }
      if (!host_.pending().empty()) {
        start_sending();
        input_.notify();  // there may be room for more input
        continue;
      }
      report_announced();
      if (is_final(host_.state())) {
        const auto outcome = host_.outcome();
        end_ = SessionEnd{SessionEnd::Cause::device, {}, outcome ? std::nullopt : std::optional(outcome.error())};
        break;
      }
      co_await output_.wait();
    }
  }

  void report_announced() {
    if (announced_ || host_.state() == HostState::waiting || is_final(host_.state())) return;
    announced_ = true;
    if (options_.on_announced) options_.on_announced();
  }

  /// One message with as much of the output as fits, as far as the socket takes it.
  void start_sending() {
    const auto room = channel_.write_buffer();
    std::size_t used = 0;
    while (used < room.size()) {
      const auto bytes = host_.pending();
      if (bytes.empty()) break;
      const auto count = std::min(bytes.size(), room.size() - used);
      std::copy_n(bytes.begin(), count, room.begin() + static_cast<std::ptrdiff_t>(used));
      host_.consume(count);
      used += count;
    }
    sending_ = !channel_.start_write(used);
  }

  asio::awaitable<Result<>> finish_sending() {
    auto sent = co_await channel_.finish_write();
    sending_ = false;
    input_.notify();
    co_return sent;
  }

  asio::awaitable<void> carry_input() {
    while (!input_over_) {
      while (!host_.wants_input() && !end_) co_await input_.wait();
      auto bytes = co_await channel_.read();
      if (!bytes) {
        end_with_error(bytes.error());
      } else if (bytes->empty()) {
        end_with_close();
      } else {
        co_await feed(*bytes);
      }
    }
    input_done_ = true;
    notify();
  }

  asio::awaitable<void> feed(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto taken = host_.receive(bytes);
      answer();
      if (!taken) co_return;  // the host end is in its final state now, and drops what follows
      bytes = bytes.subspan(*taken);
      while (!bytes.empty() && !host_.wants_input() && !end_) co_await input_.wait();
      if (end_) co_return;
    }
  }

  /// Sends nearly all answers: at once, without waking carry_output().
  void answer() {
    if (!end_ && !sending_ && !host_.pending().empty()) start_sending();
    const bool nothing_left = !sending_ && host_.pending().empty();
    if (!nothing_left || !announced_ || is_final(host_.state())) output_.notify();
  }

  void end_with_error(const Error& error) {
    input_over_ = true;
    if (!end_) end_ = SessionEnd{SessionEnd::Cause::lost, {}, error};
    notify();
  }

  void end_with_close() {
    input_over_ = true;
    if (!end_) {
      const auto& info = channel_.close_info();
      const bool close_frame = info.code != 1006;
      end_ = SessionEnd{close_frame ? SessionEnd::Cause::closed : SessionEnd::Cause::lost, info, {}};
    }
    notify();
  }

  /// The device leaves the guest, the rest of the output goes out, then the Close frame; the reader ends last.
  asio::awaitable<void> finish() {
    host_.disconnect();
    begin_closing();
    input_.notify();  // a host end that is over may not want input any more
    bool connected = !input_over_;
    while (connected && (sending_ || !host_.pending().empty())) {
      if (!sending_) start_sending();
      if (!sending_) continue;
      const auto sent = co_await finish_sending();
      connected = sent.has_value();
    }
    if (connected) {
      const bool broken = host_.state() == HostState::failed;
      const std::uint16_t code = broken ? 1002 : 1000;
      const std::string reason = broken ? "usbredir protocol error" : "";
      co_await channel_.close(code, reason);
    }
    while (!input_done_ && !input_over_) co_await output_.wait();
    channel_.abort();
    while (!input_done_) co_await output_.wait();
    closing_.reset();
  }

  const asio::any_io_executor executor_;
  usbredir::HostEnd& host_;
  websocket::Channel& channel_;
  const SessionOptions options_;

  Wakeup output_;  // of run()
  Wakeup input_;   // of carry_input()
  std::optional<SessionEnd> end_;
  std::optional<net::Deadline> closing_;
  bool announced_ = false;
  bool sending_ = false;     // finish_sending() is due or under way
  bool input_over_ = false;  // the channel gives no more
  bool input_done_ = false;  // carry_input() has returned
};

Session::Session(const asio::any_io_executor& executor, usbredir::HostEnd& host, websocket::Channel& channel,
                 SessionOptions options)
    : impl_(std::make_shared<Impl>(executor, host, channel, std::move(options))) {}

Session::~Session() = default;

asio::awaitable<SessionEnd> Session::run() { return impl_->run(); }

void Session::stop() { impl_->stop(); }

}  // namespace usbloop::client
