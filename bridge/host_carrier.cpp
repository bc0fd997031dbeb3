#include "bridge/host_carrier.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <utility>

#include "common/net/deadline.h"
#include "common/net/wakeup.h"

namespace usbloop::bridge {

using usbredir::HostState;

class HostCarrier::Impl : public std::enable_shared_from_this<HostCarrier::Impl> {
 public:
  Impl(const asio::any_io_executor& executor, usbredir::HostEnd& host, GuestSide& guest, CarrierOptions options)
      : executor_(executor),
        host_(host),
        guest_(guest),
        options_(std::move(options)),
        output_(executor),
        input_(executor) {}

  asio::awaitable<CarrierEnd> run() {
    listen_for_wakes();
    std::optional<net::Deadline> hello;
    if (options_.hello_timeout) hello.emplace(executor_, *options_.hello_timeout, [this] { give_up_waiting(); });
    asio::co_spawn(
        executor_, [self = shared_from_this()] { return self->carry_input(); }, asio::detached);
    co_await carry_output();
    co_await finish();
    host_.set_wake(nullptr);
    over_ = true;
    co_return end_.value_or(CarrierEnd{});
  }

  void stop() {
    if (end_) return;
    end_ = CarrierEnd{CarrierEnd::Cause::stopped};
    // Taking the device back may last as long as its reset. The time to say goodbye begins after it.
    host_.disconnect();
    begin_closing();
    notify();
  }

  void lose(const Error& error) {
    input_over_ = true;
    end_with({CarrierEnd::Cause::lost, error});
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
        const auto self = weak.lock();
        if (!self || self->over_) return;
        self->host_.look();
        self->notify();
      });
    });
  }

  void notify() {
    output_.notify();
    input_.notify();
  }

  void give_up_waiting() {
    if (host_.state() != HostState::waiting || end_) return;
    end_ = CarrierEnd{CarrierEnd::Cause::not_served};
    notify();
  }

  /// From here on, what does not finish in time is cut.
  void begin_closing() {
    if (!closing_) closing_.emplace(executor_, options_.close_timeout, [this] { guest_.abort(); });
  }

  /// Sends what carry_input() could not send at once, and what the device has to say by itself.
  asio::awaitable<void> carry_output() {
    while (!end_) {
      if (sending_) {
        const auto sent = co_await finish_sending();
        if (!sent && !end_) lose(sent.error());
        continue;
      }
      if (!host_.pending().empty()) {
        start_sending();
        input_.notify();  // there may be room for more input
        continue;
      }
      report_announced();
      if (is_final(host_.state())) {
        end_with({CarrierEnd::Cause::device});
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

  void start_sending() { sending_ = !guest_.start_sending(host_); }

  asio::awaitable<Result<>> finish_sending() {
    auto sent = co_await guest_.finish_sending();
    sending_ = false;
    input_.notify();
    co_return sent;
  }

  asio::awaitable<void> carry_input() {
    while (!input_over_) {
      while (!host_.wants_input() && !end_) co_await input_.wait();
      auto bytes = co_await guest_.read();
      if (!bytes) {
        lose(bytes.error());
      } else if (bytes->empty()) {
        end_with_peer();
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

  /// The first reason counts. When the device's end is over already, that is it, whatever was seen first.
  void end_with(CarrierEnd end) {
    if (end_) return;
    if (is_final(host_.state())) {
      end = {CarrierEnd::Cause::device};
      if (const auto outcome = host_.outcome(); !outcome) end.error = outcome.error();
    }
    end_ = std::move(end);
  }

  void end_with_peer() {
    input_over_ = true;
    end_with({CarrierEnd::Cause::peer_ended});
    notify();
  }

  /// The device leaves the guest, the rest of the output goes out, then the last word; the reader ends last.
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
    if (connected) co_await guest_.say_goodbye(host_.state() == HostState::failed);
    while (!input_done_ && !input_over_) co_await output_.wait();
    guest_.abort();
    while (!input_done_) co_await output_.wait();
    closing_.reset();
  }

  const asio::any_io_executor executor_;
  usbredir::HostEnd& host_;
  GuestSide& guest_;
  const CarrierOptions options_;

  net::Wakeup output_;  // of run()
  net::Wakeup input_;   // of carry_input()
  std::optional<CarrierEnd> end_;
  std::optional<net::Deadline> closing_;
  bool announced_ = false;
  bool sending_ = false;     // finish_sending() is due or under way
  bool input_over_ = false;  // the guest side gives no more
  bool input_done_ = false;  // carry_input() has returned
  bool over_ = false;        // run() has returned: the host end may be gone
};

HostCarrier::HostCarrier(const asio::any_io_executor& executor, usbredir::HostEnd& host, GuestSide& guest,
                         CarrierOptions options)
    : impl_(std::make_shared<Impl>(executor, host, guest, std::move(options))) {}

HostCarrier::~HostCarrier() = default;

asio::awaitable<CarrierEnd> HostCarrier::run() { return impl_->run(); }

void HostCarrier::stop() { impl_->stop(); }

void HostCarrier::lose(const Error& error) { impl_->lose(error); }

}  // namespace usbloop::bridge
