#include "common/net/relay.h"

#include <array>
#include <asio/experimental/awaitable_operators.hpp>
#include <optional>
#include <vector>

#include "common/net/buffer.h"
#include "common/net/deadline.h"
#include "common/net/link_state.h"

namespace usbloop::net {
namespace {

constexpr std::size_t kChunk = Buffer::kPayload;

/// All relays of a thread share it: a relay holds memory of its own only while its writer is behind.
std::span<std::byte> scratch() {
  thread_local std::array<std::byte, kChunk> buffer;
  return buffer;
}

/// Both directions of one relay, and how it ends.
class Relay {
 public:
  Relay(Stream& first, Stream& second, RelayOptions options, Traffic& traffic)
      : first_(first), second_(second), options_(options), traffic_(traffic) {
    for (Stream* stream : {&first_, &second_}) {
      const int socket = stream->socket().native_handle();
      if (!link_state(socket)) continue;
      limit_retry_interval(socket, options_.peer_timeout / 3);
      links_.push_back({*stream, LinkWatch(options_.peer_timeout)});
    }
  }

  asio::awaitable<RelayCounts> run() {
    using asio::experimental::awaitable_operators::operator&&;
    if (!links_.empty()) look_later();
    const Counter to_second{counts_.first_to_second, traffic_.to_device};
    const Counter to_first{counts_.second_to_first, traffic_.to_client};
    co_await (direction(first_, second_, to_second) && direction(second_, first_, to_first));
    close_both();
    co_return counts_;
  }

 private:
  /// Where one direction's bytes are counted.
  struct Counter {
    std::uint64_t& session;
    std::atomic<std::uint64_t>& all;
    void add(std::size_t bytes) {
      session += bytes;
      all.fetch_add(bytes, std::memory_order_relaxed);
    }
  };

  struct Link {
    Stream& stream;
    LinkWatch watch;
  };

  void look_later() {
    next_look_.emplace(first_.socket().get_executor(), options_.peer_timeout / 10, [this] { look_at_links(); });
  }

  void look_at_links() {
    for (Link& link : links_) {
      if (!link.stream.socket().is_open()) return;
      const auto state = link_state(link.stream.socket().native_handle());
      if (state) counts_.silence = link.watch.look(LinkWatch::Clock::now(), *state);
      if (counts_.silence) return close_both();
    }
    look_later();
  }

  asio::awaitable<void> direction(Stream& from, Stream& to, Counter count) {
    const bool all_passed = co_await transfer(from, to, count);
    if (!from.socket().is_open() || !to.socket().is_open()) {
      close_both();  // cut on this side
      co_return;
    }
    if (!other_ends_) other_ends_.emplace(from.socket().get_executor(), options_.linger, [this] { close_both(); });
    if (all_passed) {
      to.shutdown_write();
    } else {
      // What `to` had sent before it broke still belongs to the other direction. And closing a socket with unread bytes
      // resets its connection, which destroys what has been sent on it.
      co_await discard(from);
    }
  }

  static asio::awaitable<void> discard(Stream& from) {
    while (true) {
      const auto got = co_await from.read_some(scratch());
      if (!got || *got == 0) co_return;
    }
  }

  /// True when `from`'s stream has ended or broken and all its bytes have been passed on; false when `to` broke.
  static asio::awaitable<bool> transfer(Stream& from, Stream& to, Counter count) {
    while (true) {
      if (from.turn_is_over()) co_await from.take_turns();
      const IoResult got = from.try_read(scratch());
      if (got.status == IoStatus::end || got.status == IoStatus::failed) co_return true;
      if (got.status != IoStatus::ok) {
        const auto ready = co_await from.wait(got.status);
        if (!ready) co_return true;
        continue;
      }
      count.add(got.bytes);
      const auto chunk = scratch().first(got.bytes);
      const IoResult put = to.try_write(chunk);
      if (put.status == IoStatus::failed) co_return false;
      const std::size_t written = put.status == IoStatus::ok ? put.bytes : 0;
      if (written == got.bytes) continue;
      // The writer is behind. Others use the scratch buffer while we wait, so the rest moves out of it.
      const std::vector<std::byte> rest(chunk.begin() + static_cast<std::ptrdiff_t>(written), chunk.end());
      const auto rest_written = co_await to.write_all(rest);
      if (!rest_written) co_return false;
    }
  }

  void close_both() {
    first_.close();
    second_.close();
  }

  Stream& first_;
  Stream& second_;
  RelayOptions options_;
  Traffic& traffic_;
  RelayCounts counts_;
  std::vector<Link> links_;
  std::optional<Deadline> next_look_;
  std::optional<Deadline> other_ends_;
};

}  // namespace

asio::awaitable<RelayCounts> relay(Stream& first, Stream& second, RelayOptions options, Traffic& traffic) {
  Relay both(first, second, options, traffic);
  co_return co_await both.run();
}

}  // namespace usbloop::net
