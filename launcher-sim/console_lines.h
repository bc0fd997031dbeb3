#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::launcher {

/// What we say to and hear from the programs of our guest on its serial console, in lines. QEMU serves one client at a
/// time on the console's socket, so that nobody else can speak with the guest as long as this object lives. For one
/// thread. Errors: unavailable when QEMU closes the socket, timeout, cancelled when stop was requested.
class ConsoleLines {
 public:
  /// To the console of the guest in `directory`.
  static Result<ConsoleLines> connect(const std::string& directory);

  Result<> send(const std::string& line, std::chrono::milliseconds timeout, const std::stop_token& stop);
  /// The first line that begins with one of the texts; what stands before it is dropped.
  Result<std::string> wait_for(const std::vector<std::string>& beginnings, std::chrono::milliseconds timeout,
                               const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;
  explicit ConsoleLines(Fd socket) : socket_(std::move(socket)) {}
  Result<> wait(short events, Clock::time_point deadline, const std::stop_token& stop) const;

  Fd socket_;
  std::string heard_;
};

}  // namespace usbloop::launcher
