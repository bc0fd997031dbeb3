#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/net/buffer.h"
#include "common/net/stream.h"

namespace usbloop::websocket {

enum class Role { client, server };

/// How a channel ended, as far as this end saw it. The reason is the peer's words, or for how long nothing came from
/// it.
struct CloseInfo {
  std::uint16_t code = 1006;  ///< RFC 6455 section 7.4; 1006: the stream ended without a Close frame
  std::string reason;
};

struct ChannelOptions {
  std::chrono::milliseconds ping_interval{10'000};  ///< at most a third of peer_timeout is used
  /// The peer counts as gone when it sends nothing for this long although it should have sent something: peer_watch.h.
  /// At least twice the ping interval of the peers: their pings may be all that comes while their device is stopped.
  std::chrono::milliseconds peer_timeout{30'000};
  /// Largest payload of one write or read; at most net::Buffer::kPayload and a little.
  std::size_t buffer_bytes = net::Buffer::kPayload;
  bool first_ping_sent = false;  ///< with the handshake: first_ping()
};

/// A server's first ping, to be sent in one write with its answer to the handshake. A client that has read the answer
/// has then read the ping as well. If such a client is killed, its socket closes with nothing unread, so no reset of
/// the connection destroys what it had sent before.
std::string first_ping();

/// One end of an open websocket that carries a byte stream in binary messages (plain.kubevirt.io): message and frame
/// limits mean nothing, text messages are dropped, pings are answered, fragments and any frame size are taken.
/// Used by one thread (that of the stream's executor); one coroutine reads, one writes.
class Channel {
 public:
  /// `leftover`: bytes that came after the handshake in the same read.
  Channel(net::StreamPtr stream, Role role, ChannelOptions options, std::span<const std::byte> leftover = {});
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Next payload bytes, valid until the next call. Empty: the channel has ended, see close_info().
  /// Errors: protocol (a Close 1002 has been sent), timeout (peer gone), unavailable (connection reset), cancelled.
  asio::awaitable<Result<std::span<const std::byte>>> read();

  /// Room to put payload in before write(): `options.buffer_bytes` long. The memory is held from here to the end of
  /// write(), or until release_write_buffer(). A session that waits for its source should hold none.
  std::span<std::byte> write_buffer();
  void release_write_buffer();
  /// Sends the first `size` bytes of write_buffer() as one binary message; the buffer's content is destroyed.
  asio::awaitable<Result<>> write(std::size_t size);
  /// write() in two steps, for callers that must not wait. True when all has been sent. Otherwise await finish_write()
  /// before the next write.
  [[nodiscard]] bool start_write(std::size_t size);
  asio::awaitable<Result<>> finish_write();

  /// Sends a Close frame; no write may follow. read() then drains until the peer's Close or the end of the stream.
  asio::awaitable<Result<>> close(std::uint16_t code, std::string reason);

  /// Ends the write side without a Close frame, as KubeVirt does when the device's side has gone. read() then drains.
  void end();

  /// Reads and drops what the peer still sends after this end has had its last word (a Close frame of ours, or a 1002
  /// for what it sent). Ends with the peer's stream or with abort().
  asio::awaitable<void> drain();

  /// `call` is called once, when the peer has vanished and the connection has been cut for it, with the error that
  /// read() and write() then return. For owners that wait for something else meanwhile. Not called after the channel's
  /// end.
  void on_peer_gone(std::function<void(const Error&)> call);

  /// Cuts the connection at once, without a Close frame. Pending reads and writes end with ErrorKind::cancelled.
  void abort();

  [[nodiscard]] const CloseInfo& close_info() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the coroutine that writes control frames
};

}  // namespace usbloop::websocket
