#include "common/websocket/channel.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "common/net/buffer.h"
#include "common/websocket/close_code.h"
#include "common/websocket/frame.h"
#include "common/websocket/mask_source.h"
#include "common/websocket/peer_watch.h"

namespace usbloop::websocket {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBufferSize = net::Buffer::kUsualSize;

ChannelOptions bounded(ChannelOptions options) {
  // A peer must have had a ping to answer before it counts as gone.
  options.ping_interval = std::min(options.ping_interval, options.peer_timeout / 3);
  options.buffer_bytes = std::min(options.buffer_bytes, kBufferSize - kMaxFrameHeader);
  return options;
}

tl::unexpected<Error> channel_error(ErrorKind kind, std::string cause) {
  return make_error(kind, "use", "the websocket", std::move(cause));
}

}  // namespace

std::string first_ping() {
  const PeerWatch::PingPayload nothing_sent{};
  const auto frame = encode_control(Opcode::ping, nothing_sent, nullptr);
  return {reinterpret_cast<const char*>(frame.data()), frame.size()};
}

class Channel::Impl : public std::enable_shared_from_this<Channel::Impl> {
 public:
  Impl(net::StreamPtr stream, Role role, ChannelOptions options, std::span<const std::byte> leftover)
      : stream_(std::move(stream)),
        role_(role),
        options_(bounded(options)),
        decoder_(role == Role::server),
        watch_(options_.peer_timeout, Clock::now()),
        next_look_(stream_->socket().get_executor()),
        next_ping_(stream_->socket().get_executor()),
        writer_free_(stream_->socket().get_executor()) {
    net::limit_retry_interval(stream_->socket().native_handle(), options_.peer_timeout / 3);
    if (leftover.empty()) return;
    input_ = net::Buffer(std::max(kBufferSize, leftover.size()));
    std::copy(leftover.begin(), leftover.end(), input_.bytes().begin());
    input_end_ = leftover.size();
  }

  void start() {
    last_sent_ = Clock::now();
    look_later();
    ping_due_ = !options_.first_ping_sent;  // it tells the peer to expect pings of us
    write_what_is_due();
  }

  asio::awaitable<Result<std::span<const std::byte>>> read() {
    while (true) {
      if (auto payload = decode()) co_return *payload;
      auto more = co_await fill();
      if (!more) co_return tl::unexpected(more.error());
      if (*more == 0) co_return std::span<const std::byte>{};  // the end without a Close frame: code 1006 stands
    }
  }

  std::span<std::byte> write_buffer() {
    if (!output_) output_ = net::Buffer(kBufferSize);
    return output_.bytes().subspan(kMaxFrameHeader, options_.buffer_bytes);
  }

  void release_write_buffer() { output_.release(); }

  asio::awaitable<Result<>> write(std::size_t size) {
    if (start_write(size)) co_return Result<>{};
    co_return co_await finish_write();
  }

  bool start_write(std::size_t size) {
    if (writing_ || aborted_) {
      not_begun_ = size;
      return false;
    }
    writing_ = true;
    return send_frame(size);
  }

  asio::awaitable<Result<>> finish_write() {
    if (const auto size = std::exchange(not_begun_, std::nullopt)) {
      if (auto locked = co_await lock_writer(); !locked) co_return locked;
      if (send_frame(*size)) co_return Result<>{};
    }
    auto sent = co_await stream_->write_all(unsent_);
    end_write();
    if (!sent && silence_) co_return timeout_error();
    co_return sent;
  }

  asio::awaitable<Result<>> close(std::uint16_t code, std::string reason) {
    if (closing_) co_return Result<>{};
    closing_ = true;
    if (auto locked = co_await lock_writer(); !locked) co_return locked;
    const auto frame = control_frame(Opcode::close, close_payload(code, reason));
    auto sent = co_await stream_->write_all(frame);
    unlock_writer();
    co_return sent;
  }

  void end() {
    closing_ = true;
    stream_->shutdown_write();
  }

  asio::awaitable<void> drain() {
    while (!aborted_) {
      const auto more = co_await fill();
      if (!more || *more == 0) break;
    }
    input_begin_ = input_end_ = 0;
  }

  void abort() {
    aborted_ = true;
    stream_->close();
    next_look_.cancel();
    next_ping_.cancel();
    writer_free_.cancel();
  }

  void on_peer_gone(std::function<void(const Error&)> call) { on_peer_gone_ = std::move(call); }

  [[nodiscard]] const CloseInfo& close_info() const { return close_info_; }

 private:
  using Payload = Result<std::span<const std::byte>>;

  /// Makes a frame of the first `size` bytes of the write buffer and sends what the socket takes. True when the socket
  /// took all, which is nearly always so.
  bool send_frame(std::size_t size) {
    const auto room = output_.bytes().first<kMaxFrameHeader>();
    const auto payload = output_.bytes().subspan(kMaxFrameHeader, size);
    std::optional<MaskKey> mask;
    if (role_ == Role::client) {
      mask = masks_.next();
      apply_mask(payload, *mask);
    }
    const std::size_t header = encode_header(room, Opcode::binary, size, mask ? &*mask : nullptr);
    unsent_ = output_.bytes().subspan(kMaxFrameHeader - header, header + size);
    const net::IoResult put = stream_->try_write(unsent_);
    if (put.status == net::IoStatus::ok) unsent_ = unsent_.subspan(put.bytes);
    if (!unsent_.empty()) return false;
    end_write();
    return true;
  }

  void end_write() {
    watch_.sent_message();
    unlock_writer();
  }

  /// The next payload, or an end, out of what has been read; nothing when more must be read first. Small frames that
  /// came together are joined, so that their reader has one piece to pass on.
  std::optional<Payload> decode() {
    if (put_off_) return *std::exchange(put_off_, std::nullopt);
    auto first = decode_one();
    if (!first || !*first || (*first)->empty() || input_begin_ == input_end_) return first;
    const auto all = input_.bytes();
    const auto begin = static_cast<std::size_t>((*first)->data() - all.data());
    std::size_t end = begin + (*first)->size();
    while (auto next = decode_one()) {
      if (!*next || (*next)->empty() || (*next)->size() > kSmall) {
        put_off_ = std::move(next);
        break;
      }
      std::copy((*next)->begin(), (*next)->end(), all.begin() + static_cast<std::ptrdiff_t>(end));
      end += (*next)->size();
    }
    return Payload(all.subspan(begin, end - begin));
  }

  std::optional<Payload> decode_one() {
    if (ended_) return Payload(std::span<const std::byte>{});
    while (input_begin_ < input_end_) {
      const Decoded step = decoder_.next(input_.bytes().subspan(input_begin_, input_end_ - input_begin_));
      input_begin_ += step.consumed;
      if (step.kind == Decoded::Kind::violation) return fail(step.reason);
      if (step.kind == Decoded::Kind::control) {
        if (auto broken = handle_control(step)) return *broken;
        if (ended_) return Payload(std::span<const std::byte>{});
      }
      if (step.kind == Decoded::Kind::data && !step.payload.empty()) return Payload(step.payload);
    }
    return std::nullopt;
  }

  std::optional<Payload> handle_control(const Decoded& frame) {
    if (frame.opcode == Opcode::ping) {
      watch_.heard_ping();
      pong_.assign(frame.payload.begin(), frame.payload.end());  // the latest ping is the one to answer
      pong_due_ = true;
      look_whether_quiet();
    } else if (frame.opcode == Opcode::pong) {
      watch_.heard_pong(frame.payload);
    } else if (frame.opcode == Opcode::close) {
      return handle_close(frame.payload);
    }
    return std::nullopt;
  }

  std::optional<Payload> handle_close(std::span<const std::byte> payload) {
    std::uint16_t code = 1005;  // no status was sent
    std::string_view reason;
    if (!payload.empty()) {
      if (payload.size() == 1) return fail("invalid close payload");
      code = static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[0]) << 8U |
                                        std::to_integer<unsigned>(payload[1]));
      reason = {reinterpret_cast<const char*>(payload.data()) + 2, payload.size() - 2};
      if (!valid_close_code(code)) return fail("bad close code " + std::to_string(code));
      if (!valid_utf8(reason)) return fail("invalid utf8 payload in close frame");
    }
    close_info_ = {code, std::string(reason)};
    ended_ = true;
    last_word(payload.empty() ? std::vector<std::byte>{} : close_payload(code, {}));
    return std::nullopt;
  }

  tl::unexpected<Error> fail(const std::string& reason) {
    ended_ = true;
    last_word(close_payload(1002, reason));
    return channel_error(ErrorKind::protocol, reason);
  }

  /// Sends a Close frame as far as that goes without waiting, then the end of stream.
  void last_word(const std::vector<std::byte>& payload) {
    if (!std::exchange(closing_, true) && !writing_) {
      stream_->try_write(control_frame(Opcode::close, payload));
    }
    stream_->shutdown_write();
  }

  /// Reads once; 0 at the end of the stream. Waits without a buffer, so that idle channels hold none.
  asio::awaitable<Result<std::size_t>> fill() {
    input_begin_ = input_end_ = 0;
    if (stream_->turn_is_over()) co_await stream_->take_turns();
    while (true) {
      if (!input_) input_ = net::Buffer(kBufferSize);
      const net::IoResult got = stream_->try_read(input_.bytes().first(options_.buffer_bytes));
      if (got.status == net::IoStatus::ok) {
        input_end_ = got.bytes;
        watch_.heard(Clock::now());
        co_return got.bytes;
      }
      if (got.status == net::IoStatus::end) co_return std::size_t{0};
      if (got.status == net::IoStatus::failed) {
        if (silence_) co_return timeout_error();
        co_return make_errno_error("read from", "the websocket", got.error_number == 0 ? EPROTO : got.error_number);
      }
      input_.release();
      watch_.waits(true);
      auto ready = co_await stream_->wait(got.status);
      watch_.waits(false);
      if (!ready && silence_) co_return timeout_error();
      if (!ready) co_return tl::unexpected(ready.error());
    }
  }

  [[nodiscard]] tl::unexpected<Error> timeout_error() const {
    return channel_error(ErrorKind::timeout, silence_->text());
  }

  void look_later() {
    next_look_.expires_after(watch_.until_next_look(Clock::now()));
    next_look_.async_wait([weak = weak_from_this()](const asio::error_code& code) {
      if (code) return;
      if (const auto self = weak.lock()) self->look_at_peer();
    });
  }

  /// A timer of its own: what writes may wait for a peer that does not read.
  void look_at_peer() {
    if (aborted_ || ended_ || closing_) return;
    silence_ = watch_.look(Clock::now(), net::link_state(stream_->socket().native_handle()));
    if (!silence_) return look_later();
    close_info_.reason = silence_->text();
    abort();
    if (on_peer_gone_) on_peer_gone_(timeout_error().value());
  }

  /// A ping is due after a time without words, from either side.
  void look_whether_quiet() {
    const auto quiet = Clock::now() - options_.ping_interval;
    if (watch_.last_heard() <= quiet || last_sent_ <= quiet) ping_due_ = true;
    write_what_is_due();
  }

  /// Starts the coroutine that answers pings and sends ours, where there is something for it. While a channel is idle,
  /// only the timer is there, which takes less memory.
  void write_what_is_due() {
    if (aborted_ || ended_ || closing_) return;
    if (!pong_due_ && !ping_due_) {
      next_ping_.expires_after(options_.ping_interval);
      next_ping_.async_wait([weak = weak_from_this()](const asio::error_code& code) {
        if (code) return;
        if (const auto self = weak.lock()) self->look_whether_quiet();
      });
    } else if (!std::exchange(writes_control_, true)) {
      next_ping_.cancel();
      // Posted: of many pings that came together, the last is answered.
      asio::post(stream_->socket().get_executor(), [self = shared_from_this()] {
        asio::co_spawn(
            self->stream_->socket().get_executor(), [self] { return self->write_control_frames(); }, asio::detached);
      });
    }
  }

  asio::awaitable<void> write_control_frames() {
    while (pong_due_ || ping_due_) {
      if (aborted_ || ended_ || closing_) co_return;
      if (auto locked = co_await lock_writer(); !locked) co_return;
      const bool is_pong = std::exchange(pong_due_, false);
      if (!is_pong) ping_due_ = false;
      const auto frame =
          is_pong ? control_frame(Opcode::pong, pong_) : control_frame(Opcode::ping, watch_.ping_payload());
      const auto sent = co_await stream_->write_all(frame);
      unlock_writer();
      if (!sent) co_return;  // the reader sees the same broken stream
    }
    writes_control_ = false;
    write_what_is_due();
  }

  std::vector<std::byte> control_frame(Opcode opcode, std::span<const std::byte> payload) {
    if (role_ == Role::server) return encode_control(opcode, payload, nullptr);
    const MaskKey mask = masks_.next();
    return encode_control(opcode, payload, &mask);
  }

  asio::awaitable<Result<>> lock_writer() {
    while (writing_ && !aborted_) {
      ++waiting_writers_;
      writer_free_.expires_at(asio::steady_timer::time_point::max());
      asio::error_code code;
      co_await writer_free_.async_wait(asio::redirect_error(asio::use_awaitable, code));
      --waiting_writers_;
    }
    if (aborted_) co_return channel_error(ErrorKind::cancelled, "closed on this side");
    writing_ = true;
    co_return Result<>{};
  }

  void unlock_writer() {
    writing_ = false;
    last_sent_ = Clock::now();
    if (waiting_writers_ > 0) writer_free_.cancel();
  }

  net::StreamPtr stream_;
  const Role role_;
  const ChannelOptions options_;
  FrameDecoder decoder_;
  MaskSource masks_;

  net::Buffer input_;  // none while idle
  /// Payload up to this size is copied next to that before it: cheaper than a system call of its own.
  static constexpr std::size_t kSmall = 4096;
  std::optional<Payload> put_off_;  // came behind what read() has returned: the next thing for it
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  net::Buffer output_;                    // kMaxFrameHeader bytes, then the payload; none while idle
  std::span<const std::byte> unsent_;     // what finish_write() has to send of the frame in output_
  std::optional<std::size_t> not_begun_;  // or this much of output_, when start_write() found another writer

  PeerWatch watch_;
  asio::steady_timer next_look_;
  std::function<void(const Error&)> on_peer_gone_;
  asio::steady_timer next_ping_;
  asio::steady_timer writer_free_;  // cancelled when `writing_` becomes false
  unsigned waiting_writers_ = 0;
  bool writing_ = false;
  bool closing_ = false;  // a Close frame has been sent or is about to be
  bool ended_ = false;    // the peer's Close has come, or it broke the protocol
  bool aborted_ = false;
  std::optional<PeerWatch::Silence> silence_;  // the peer is gone
  CloseInfo close_info_;

  std::vector<std::byte> pong_;
  bool pong_due_ = false;
  bool ping_due_ = false;
  bool writes_control_ = false;  // the coroutine for them runs
  Clock::time_point last_sent_;
};

Channel::Channel(net::StreamPtr stream, Role role, ChannelOptions options, std::span<const std::byte> leftover)
    : impl_(std::make_shared<Impl>(std::move(stream), role, options, leftover)) {
  impl_->start();
}

Channel::~Channel() { impl_->abort(); }

asio::awaitable<Result<std::span<const std::byte>>> Channel::read() { return impl_->read(); }
std::span<std::byte> Channel::write_buffer() { return impl_->write_buffer(); }
void Channel::release_write_buffer() { impl_->release_write_buffer(); }
asio::awaitable<Result<>> Channel::write(std::size_t size) { return impl_->write(size); }
bool Channel::start_write(std::size_t size) { return impl_->start_write(size); }
asio::awaitable<Result<>> Channel::finish_write() { return impl_->finish_write(); }
asio::awaitable<void> Channel::drain() { return impl_->drain(); }
asio::awaitable<Result<>> Channel::close(std::uint16_t code, std::string reason) {
  return impl_->close(code, std::move(reason));
}
void Channel::on_peer_gone(std::function<void(const Error&)> call) { impl_->on_peer_gone(std::move(call)); }
void Channel::end() { impl_->end(); }
void Channel::abort() { impl_->abort(); }
const CloseInfo& Channel::close_info() const { return impl_->close_info(); }

}  // namespace usbloop::websocket
