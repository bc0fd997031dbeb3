#include "common/net/stream.h"

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>

namespace usbloop::net {
namespace {

tl::unexpected<Error> wait_error(const asio::error_code& code) {
  if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) {
    return make_error(ErrorKind::cancelled, "wait for", "the connection", "closed on this side");
  }
  return make_error(ErrorKind::unavailable, "wait for", "the connection", code.message());
}

tl::unexpected<Error> io_error(const char* operation, const IoResult& result) {
  if (result.error_number == 0) return make_error(ErrorKind::protocol, operation, "the connection", "TLS failure");
  return make_errno_error(operation, "the connection", result.error_number);
}

thread_local int waiting_writers = 0;

/// One more, for the time of a wait.
class WaitingWriter {
 public:
  explicit WaitingWriter(bool writes) : count_(writes ? 1 : 0) { waiting_writers += count_; }
  ~WaitingWriter() { waiting_writers -= count_; }
  WaitingWriter(const WaitingWriter&) = delete;
  WaitingWriter& operator=(const WaitingWriter&) = delete;

 private:
  const int count_;
};

}  // namespace

int writers_waiting() { return waiting_writers; }

asio::awaitable<Result<>> Stream::wait(IoStatus status) {
  if (!socket().is_open()) co_return wait_error(asio::error::bad_descriptor);
  asio::error_code code;
  const auto what = status == IoStatus::want_write ? Socket::wait_write : Socket::wait_read;
  served_in_a_row_ = 0;
  const WaitingWriter counted(status == IoStatus::want_write);
  co_await socket().async_wait(what, asio::redirect_error(asio::use_awaitable, code));
  if (code) co_return wait_error(code);
  co_return Result<>{};
}

asio::awaitable<void> Stream::take_turns() {
  if (++served_in_a_row_ < kMostInARow) co_return;
  served_in_a_row_ = 0;
  co_await asio::post(socket().get_executor(), asio::use_awaitable);
}

asio::awaitable<Result<std::size_t>> Stream::read_some(std::span<std::byte> buffer) {
  if (turn_is_over()) co_await take_turns();
  while (true) {
    const IoResult result = try_read(buffer);
    switch (result.status) {
      case IoStatus::ok: co_return result.bytes;
      case IoStatus::end: co_return std::size_t{0};
      case IoStatus::failed: co_return io_error("read from", result);
      default: break;
    }
    if (auto ready = co_await wait(result.status); !ready) co_return tl::unexpected(ready.error());
  }
}

asio::awaitable<Result<>> Stream::write_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const IoResult result = try_write(bytes);
    if (result.status == IoStatus::ok) {
      bytes = bytes.subspan(result.bytes);
      continue;
    }
    if (result.status == IoStatus::failed) co_return io_error("write to", result);
    if (auto ready = co_await wait(result.status); !ready) co_return ready;
  }
  co_return Result<>{};
}

void Stream::close() {
  asio::error_code ignored;
  socket().close(ignored);
}

}  // namespace usbloop::net
