#include "kube-sim/http/watch_session.h"

#include <array>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>

#include "common/net/deadline.h"

namespace usbloop::apiserver {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kWriteTime{30};
constexpr std::chrono::seconds kBookmarkEvery{60};

/// Lets writers on other threads wake one coroutine: they set a flag, and only the first one posts.
class Bell : public std::enable_shared_from_this<Bell> {
 public:
  explicit Bell(const asio::any_io_executor& executor) : executor_(executor), timer_(executor) {}

  /// From any thread.
  void ring() {
    if (rung_.exchange(true)) return;
    asio::post(executor_, [self = shared_from_this()] { self->timer_.cancel(); });
  }

  /// Until ring() or `time`. From the executor's thread.
  asio::awaitable<void> wait_until(Clock::time_point time) {
    if (!rung_) {
      asio::error_code ignored;
      timer_.expires_at(time);
      // A ring between the test and this wait has posted its cancel, which runs after the wait has begun.
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    rung_ = false;
  }

 private:
  asio::any_io_executor executor_;
  asio::steady_timer timer_;
  std::atomic<bool> rung_ = false;
};

}  // namespace

class WatchSession::Impl {
 public:
  Impl(Wire wire, WatchSpec spec, const Store& store, WatchHub& hub, std::function<void(std::size_t)> sent)
      : stream_(wire.stream),
        framing_(std::move(wire.framing)),
        leftover_(std::move(wire.leftover)),
        sent_(std::move(sent)),
        spec_(std::move(spec)),
        bell_(std::make_shared<Bell>(stream_.socket().get_executor())),
        subscription_(hub.subscribe(spec_.view.resource.qualified(), [bell = bell_] { bell->ring(); })),
        feed_(spec_, store, hub),
        end_(Clock::now() + spec_.options.timeout) {}

  asio::awaitable<void> run() {
    using asio::experimental::awaitable_operators::operator&&;
    co_await (send() && read());
  }

  void stop() {
    stopping_ = true;
    bell_->ring();
  }
  [[nodiscard]] bool cut() const { return cut_; }

 private:
  asio::awaitable<void> send() {
    const std::string head = framing_->head();
    const bool begun = co_await write(head);
    if (begun) co_await send_events();
    stream_.shutdown_write();
    stream_.close();
  }

  asio::awaitable<void> send_events() {
    auto next_bookmark = Clock::now() + kBookmarkEvery;
    bool open = true;
    while (open && !stopping_ && !client_gone_ && Clock::now() < end_) {
      const std::string answer = framing_->take_answer();
      open = co_await write(answer);
      if (!open) break;
      const WatchFeed::Piece piece = feed_.next();
      open = co_await write_events(piece.text);
      if (open && piece.events > 0) sent_(piece.events);
      if (piece.ended) break;
      if (piece.more || !open) continue;
      if (Clock::now() >= next_bookmark) {
        next_bookmark = Clock::now() + kBookmarkEvery;
        const std::string line = feed_.bookmark();
        open = co_await write_events(line);
      }
      co_await bell_->wait_until(std::min(end_, next_bookmark));
    }
    // A client that watches again from here misses nothing and need not list.
    const std::string line = feed_.bookmark();
    if (open) open = co_await write_events(line);
    const std::string last = framing_->last();
    if (open) co_await write(last);
  }

  asio::awaitable<bool> write_events(const std::string& lines) {
    if (lines.empty()) co_return true;
    const std::string text = framing_->events(lines);
    const bool written = co_await write(text);
    co_return written;
  }

  asio::awaitable<bool> write(const std::string& text) {
    if (text.empty()) co_return true;
    const net::Deadline deadline(stream_.socket().get_executor(), kWriteTime, [this] { stream_.close(); });
    const auto written = co_await stream_.write_all(std::as_bytes(std::span(text)));
    if (deadline.expired()) cut_ = true;
    co_return written.has_value();
  }

  /// The client's end of stream ends the watch, and so does what it sends when the framing says so.
  asio::awaitable<void> read() {
    bool open = receive(std::as_writable_bytes(std::span(leftover_)));
    std::array<std::byte, 512> bytes{};
    while (open) {
      co_await stream_.take_turns();
      const auto count = co_await stream_.read_some(bytes);
      open = count && *count > 0 && receive(std::span(bytes).first(*count));
    }
    client_gone_ = true;
    bell_->ring();
  }

  bool receive(std::span<std::byte> bytes) {
    const WatchFraming::Heard heard = framing_->receive(bytes);
    if (heard == WatchFraming::Heard::question) bell_->ring();
    return heard != WatchFraming::Heard::end;
  }

  net::Stream& stream_;
  std::unique_ptr<WatchFraming> framing_;
  std::string leftover_;
  std::function<void(std::size_t)> sent_;
  WatchSpec spec_;
  std::shared_ptr<Bell> bell_;
  WatchHub::Subscription subscription_;
  WatchFeed feed_;
  Clock::time_point end_;
  bool stopping_ = false;
  bool client_gone_ = false;
  bool cut_ = false;
};

WatchSession::WatchSession(Wire wire, WatchSpec spec, const Store& store, WatchHub& hub,
                           std::function<void(std::size_t)> sent)
    : impl_(std::make_unique<Impl>(std::move(wire), std::move(spec), store, hub, std::move(sent))) {}
WatchSession::~WatchSession() = default;
asio::awaitable<void> WatchSession::run() { return impl_->run(); }
void WatchSession::stop() { impl_->stop(); }
bool WatchSession::cut() const { return impl_->cut(); }

}  // namespace usbloop::apiserver
