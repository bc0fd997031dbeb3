#pragma once

#include <cstddef>
#include <cstdint>

#include "bench/wire.h"
#include "common/fd.h"

namespace usbloop::bench {

/// One usbredir connection as the peer serves it: reads packets and does what their ids say (wire.h). Non-blocking; it
/// reads nothing while it has something to send, so a client that does not read cannot make it grow.
class PeerConnection {
 public:
  /// Sends the hello.
  explicit PeerConnection(Fd socket);
  ~PeerConnection();
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  /// Does what can be done without waiting, bounded, so that others get their turn. False: the connection is over.
  bool serve();
  /// Whether it waits for room to write, and not for something to read.
  [[nodiscard]] bool wants_to_write() const { return out_begin_ != out_end_ || source_left_ > 0; }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  bool read_some(bool& drained);
  bool take_packets();
  bool flush(bool& blocked);
  void answer(std::size_t size, const std::byte* from);

  Fd socket_;
  /// Address space for the longest packet and one to send; only pages that are used cost memory.
  std::byte* room_ = nullptr;
  std::size_t begin_ = 0;  ///< of what was read and not yet taken
  std::size_t end_ = 0;
  std::size_t skip_ = 0;  ///< bytes of a packet that is dropped
  bool acknowledge_ = false;
  bool hello_seen_ = false;
  const std::byte* out_ = nullptr;  ///< what is sent: in room_
  std::size_t out_begin_ = 0;
  std::size_t out_end_ = 0;
  std::uint32_t source_left_ = 0;  ///< packets
  std::uint32_t source_size_ = 0;
};

}  // namespace usbloop::bench
