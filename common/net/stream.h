#pragma once

#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include "common/error.h"

namespace usbloop::net {

/// What a non-blocking read or write came to.
enum class IoStatus {
  ok,          ///< `bytes` were moved (at least one)
  end,         ///< the peer sent its end of stream; reads only
  want_read,   ///< would block until readable
  want_write,  ///< would block until writable
  failed       ///< the stream is broken; `error_number` is an errno value or 0 for a TLS error
};

struct IoResult {
  IoStatus status = IoStatus::ok;
  std::size_t bytes = 0;
  int error_number = 0;
};

/// A connected byte stream on one socket: plain (TCP, unix) or TLS. All functions belong to the thread that runs the
/// stream's executor, except where a holder has taken the stream out of the loop and no coroutine waits on it.
/// At most one coroutine may wait for reading and one for writing.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Non-blocking. Returns after one read of the transport; never `ok` with 0 bytes. When a read has emptied the
  /// socket, the next one says want_read without asking the kernel; wait() sees what has come meanwhile.
  virtual IoResult try_read(std::span<std::byte> buffer) = 0;
  /// Non-blocking. May take fewer bytes than given. After want_* the retry must begin with the same bytes.
  virtual IoResult try_write(std::span<const std::byte> bytes) = 0;
  /// Tells the peer that no more bytes come (TLS: close_notify; then the socket's write side). Never blocks.
  virtual void shutdown_write() = 0;

  using Socket = asio::generic::stream_protocol::socket;
  virtual Socket& socket() = 0;

  // Coroutines on top of the above, the same for every kind of stream (stream.cpp).

  /// Waits until the socket is ready for what `status` (want_read or want_write) asks.
  asio::awaitable<Result<>> wait(IoStatus status);
  /// At least one byte, or 0 at the end of the stream.
  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> buffer);
  /// All bytes.
  asio::awaitable<Result<>> write_all(std::span<const std::byte> bytes);
  /// Lets others run when this stream has been served many times in a row without waiting. Call between operations.
  asio::awaitable<void> take_turns();
  /// Whether it is the others' turn: take_turns() is due then. For callers that want no coroutine when it is not.
  [[nodiscard]] bool turn_is_over() { return ++served_in_a_row_ >= kMostInARow; }
  /// Ends pending waits with ErrorKind::cancelled and closes the socket. Idempotent.
  void close();

 private:
  /// A peer that always has bytes ready would keep the loop for itself: two full buffers are about 1 ms. Three, because
  /// the read that finds nothing more counts as well, and a message that comes alone should not go to the back.
  static constexpr unsigned kMostInARow = 3;
  unsigned served_in_a_row_ = 0;
};

/// How many streams of this thread wait until their peer has taken something.
int writers_waiting();

using StreamPtr = std::unique_ptr<Stream>;

/// Takes ownership of a connected socket and makes it non-blocking (and TCP_NODELAY where it is TCP).
StreamPtr make_plain_stream(Stream::Socket socket);

/// Has the kernel probe an idle TCP peer after 15 s and give it up 15 s later. Elsewhere it does nothing.
void enable_keepalive(Stream::Socket& socket);

/// Connects to a unix socket at `path`. Paths longer than sockaddr_un allows are reached through their directory.
Result<StreamPtr> connect_unix(const asio::any_io_executor& executor, const std::string& path);

/// Resolves and connects by TCP, with keepalive on; tries each address until one answers or `timeout` is over
/// for all of them together.
asio::awaitable<Result<StreamPtr>> connect_tcp(std::string host, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace usbloop::net
