#include "bridge/stream_side.h"

#include <cstring>

namespace usbloop::bridge {
namespace {

constexpr std::size_t kReadSize = 256 * 1024;  // a whole 120 KiB write of a guest, with room

}  // namespace

StreamSide::StreamSide(net::Stream& stream) : stream_(stream), buffer_(kReadSize) {}

asio::awaitable<Result<std::span<const std::byte>>> StreamSide::read() {
  const auto got = co_await stream_.read_some(buffer_);
  if (!got) co_return tl::unexpected(got.error());
  co_return std::span<const std::byte>(buffer_).first(*got);
}

bool StreamSide::start_sending(usbredir::HostEnd& host) {
  while (!host.pending().empty()) {
    blocked_ = stream_.try_write(host.pending());
    if (blocked_.status != net::IoStatus::ok) return false;
    host.consume(blocked_.bytes);
  }
  return true;
}

asio::awaitable<Result<>> StreamSide::finish_sending() {
  if (blocked_.status == net::IoStatus::want_write || blocked_.status == net::IoStatus::want_read) {
    co_return co_await stream_.wait(blocked_.status);
  }
  const int number = blocked_.error_number;
  co_return make_error(kind_of_errno(number), "send to", "the guest side", std::strerror(number));
}

/// The end of our stream. A socket closed with unread input would throw away what is under way, so the carrier reads
/// on.
asio::awaitable<void> StreamSide::say_goodbye(bool /*broken*/) {
  stream_.shutdown_write();
  co_return;
}

void StreamSide::abort() { stream_.close(); }

}  // namespace usbloop::bridge
