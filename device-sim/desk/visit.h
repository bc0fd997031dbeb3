#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "bridge/host_carrier.h"
#include "common/net/stream.h"
#include "common/net/wakeup.h"
#include "device-sim/desk/desk.h"
#include "device-sim/desk/protocol.h"

namespace usbloop::desk {

/// One connection to a desk's control socket, from its first request to its end (protocol.h). What it says wrong ends
/// itself alone. Belongs to the desk's thread.
class Visit : public std::enable_shared_from_this<Visit> {
 public:
  /// `desk` must outlive it. `process` is the peer's, as the kernel says it.
  Visit(Desk& desk, net::StreamPtr stream, int process);

  asio::awaitable<void> run();

  /// The desk ends: gives the device back in an orderly way, and ends.
  void stop();

 private:
  asio::awaitable<Result<std::string>> read_line();
  asio::awaitable<bool> say(std::string line);
  asio::awaitable<bool> answer(Request request);
  asio::awaitable<bool> watch();
  asio::awaitable<bool> take(Request request);
  asio::awaitable<void> carry(Desk::Loan& loan, net::StreamPtr data);
  asio::awaitable<Result<>> replug(std::string name);
  asio::awaitable<Result<>> attach(std::string name, std::string image);
  asio::awaitable<void> until_free(std::string name);
  void listen_for_end();
  void say_announced();

  Desk& desk_;
  const net::StreamPtr stream_;
  const int process_;
  std::string input_;
  net::Wakeup changed_;
  bool is_over_ = false;  ///< the peer has said its last word
  bridge::HostCarrier* carrier_ = nullptr;
};

}  // namespace usbloop::desk
