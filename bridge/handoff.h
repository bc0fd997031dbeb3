#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/fd.h"
#include "common/net/stream.h"

// The handoff. A node may give the connected socket of a device to the API server of its machine. The API server is
// then the end of the websocket itself, and one process less copies the bytes. It is a transport extension of the node
// channel, in headers that other servers do not send and other nodes do not know:
//
//   API server -> node   GET ... with "Usbloop-Handoff: socket": it would take a socket over
//   node -> API server   101 with "Usbloop-Handoff: socket": the device's socket comes beside this head's first byte
//                        101 without the header: the node is the end of the websocket
//
// Nothing more is sent on the node channel after the handoff. The channel stays open as the lease of the slot: whoever
// ends the session closes it, and the kernel does so for a process that died; the other side then ends the session too.
namespace usbloop::bridge {

inline constexpr std::string_view kHandoffHeader = "Usbloop-Handoff";
inline constexpr std::string_view kHandoffSocket = "socket";

/// Adds the header to a request or response head, before its empty line.
std::string with_handoff(std::string head);

/// Sends a whole head over a unix socket with the descriptor beside its first byte.
asio::awaitable<Result<>> send_handoff(net::Stream& channel, std::string head, int descriptor);

/// The device's stream out of a descriptor that a node handed over. ErrorKind::protocol when it is no connected unix
/// stream socket: reading from anything else could block the loop.
Result<net::StreamPtr> adopt_device(const asio::any_io_executor& executor, Fd descriptor);

/// Ends the device's connection for every process that holds a copy of it: QEMU sees the end now. What QEMU has sent
/// can still be read.
void end_device(int descriptor);

/// Waits until the other side of the channel has ended the lease, or `channel` is closed here. Whatever a peer sends on
/// it ends the lease too: nothing is due.
asio::awaitable<void> lease_ends(net::Stream& channel);

/// The same as a call, which takes less memory than a coroutine that waits. `ended` is called at most once, in the
/// loop of the channel, and not after this object's end. Not called when `channel` is closed here.
class LeaseWatch {
 public:
  LeaseWatch(net::Stream& channel, std::function<void()> ended);
  ~LeaseWatch() { *ended_ = nullptr; }
  LeaseWatch(const LeaseWatch&) = delete;
  LeaseWatch& operator=(const LeaseWatch&) = delete;

 private:
  std::shared_ptr<std::function<void()>> ended_;  // the loop's handler may come after this object
};

}  // namespace usbloop::bridge
