#include "device-sim/carrier.h"

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "common/log.h"
#include "common/net/deadline.h"

namespace usbloop::device_sim {
namespace {

using usbredir::HostState;

constexpr std::size_t kReadSize = 256 * 1024;            // a whole 120 KiB write of a guest, with room
constexpr std::chrono::milliseconds kCloseTimeout{600};  // for the last bytes and the peer's own end of stream

}  // namespace

/// Wakes the coroutines that wait for the host end: an expired timer that is cancelled at each change.
struct Carrier::Shared {
  explicit Shared(const asio::any_io_executor& executor) : change(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer change;
  bool alive = true;
};

Carrier::Carrier(usbredir::HostEnd& host, net::Stream& stream)
    : host_(host), stream_(stream), shared_(std::make_shared<Shared>(stream.socket().get_executor())) {
  host_.set_wake([shared = shared_] {
    asio::post(shared->change.get_executor(), [shared] {
      if (shared->alive) shared->change.cancel();
    });
  });
}

Carrier::~Carrier() { shared_->alive = false; }

void Carrier::changed() { shared_->change.cancel(); }

asio::awaitable<void> Carrier::wait_for_change() {
  asio::error_code cancelled;
  co_await shared_->change.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

void Carrier::lose(Error error) {
  if (!over_) loss_ = std::move(error);
  over_ = true;
  changed();
}

void Carrier::note_progress() {
  if (announced_ || host_.state() == HostState::waiting || is_final(host_.state())) return;
  announced_ = true;
  spdlog::info("{} is announced to the guest side", host_.device().label());
}

/// Writes without waiting. False when the socket is full.
bool Carrier::write_now() {
  while (!over_ && !host_.pending().empty()) {
    const net::IoResult result = stream_.try_write(host_.pending());
    if (result.status == net::IoStatus::want_write) return false;
    if (result.status != net::IoStatus::ok) {
      lose({kind_of_errno(result.error_number), "send to", "the guest side", std::strerror(result.error_number)});
      break;
    }
    host_.consume(result.bytes);
  }
  return true;
}

asio::awaitable<void> Carrier::read() {
  std::vector<std::byte> buffer(kReadSize);
  while (!over_ && !is_final(host_.state())) {
    if (!host_.wants_input()) {
      co_await wait_for_change();
      continue;
    }
    const auto got = co_await stream_.read_some(buffer);
    if (over_ || is_final(host_.state())) break;
    if (!got || *got == 0) {
      lose(got ? Error{ErrorKind::unavailable, "go on", "", "the guest side has ended the redirection"} : got.error());
      break;
    }
    for (std::size_t at = 0; at < *got && !over_;) {
      const auto taken = host_.receive(std::span(buffer).subspan(at, *got - at));
      if (!taken) break;  // the state says so too
      at += *taken;
      note_progress();
      if (!write_now()) changed();
      if (at < *got && !host_.wants_input()) co_await wait_for_change();
    }
  }
  --running_;
  changed();
}

asio::awaitable<void> Carrier::write() {
  while (!over_ && !is_final(host_.state())) {
    if (write_now()) {
      if (host_.wants_input()) changed();  // the reader may go on
      co_await wait_for_change();
      continue;
    }
    const auto ready = co_await stream_.wait(net::IoStatus::want_write);
    if (!ready && !is_final(host_.state())) lose(ready.error());
  }
  --running_;
  changed();
}

/// The last bytes, our end of stream, and the peer's: a socket closed with unread input would throw away what is under
/// way.
asio::awaitable<void> Carrier::finish() {
  const auto executor = co_await asio::this_coro::executor;
  const net::Deadline deadline(executor, kCloseTimeout, [this] { stream_.close(); });
  while (!over_ && !write_now()) {
    const auto ready = co_await stream_.wait(net::IoStatus::want_write);
    if (!ready) co_return;
  }
  if (over_) co_return;
  stream_.shutdown_write();
  std::array<std::byte, 4096> rest{};
  while (true) {
    const auto got = co_await stream_.read_some(rest);
    if (!got || *got == 0) break;
  }
}

asio::awaitable<Result<>> Carrier::run() {
  const auto executor = co_await asio::this_coro::executor;
  running_ = 2;
  asio::co_spawn(executor, read(), asio::detached);
  asio::co_spawn(executor, write(), asio::detached);
  while (!over_ && !is_final(host_.state())) co_await wait_for_change();
  if (over_) {
    stream_.close();  // ends what waits in read() and write()
  } else {
    // Only their waits on the socket are ended; the stream is still needed.
    asio::error_code ignored;
    stream_.socket().cancel(ignored);
  }
  while (running_ > 0) co_await wait_for_change();
  if (!over_) co_await finish();
  stream_.close();
  const HostState state = host_.state();
  host_.disconnect();  // lets go of the device's data when the peer went first
  if (is_final(state)) co_return host_.outcome();
  co_return tl::unexpected(loss_);
}

void Carrier::stop() {
  host_.disconnect();
  changed();
}

}  // namespace usbloop::device_sim
