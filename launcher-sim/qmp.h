#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::launcher {

/// A QEMU Machine Protocol client: blocking with deadlines, one command at a time, for one thread. Lines are bounded;
/// what is not JSON ends the connection with ErrorKind::protocol.
class Qmp {
 public:
  /// Connects to the socket in `directory` and leaves the capabilities negotiation behind.
  static Result<Qmp> connect(const std::string& directory, std::chrono::milliseconds timeout);

  /// Runs a command and returns its "return" value.
  Result<nlohmann::json> execute(const std::string& command, std::chrono::milliseconds timeout);

  /// Takes what has come without waiting. Call when fd() is readable. An error means that QEMU closed the connection.
  Result<> take_events();
  /// Whether QEMU has announced that the guest powered itself off or was asked to (event SHUTDOWN).
  [[nodiscard]] bool saw_shutdown() const { return saw_shutdown_; }
  [[nodiscard]] int fd() const { return socket_.get(); }

 private:
  explicit Qmp(Fd socket) : socket_(std::move(socket)) {}
  Result<nlohmann::json> next_message(std::chrono::steady_clock::time_point deadline);
  Result<> fill(std::chrono::steady_clock::time_point deadline);
  Result<nlohmann::json> pop_line(std::size_t end);
  void note_event(const nlohmann::json& message);

  Fd socket_;
  std::string input_;
  bool saw_shutdown_ = false;
};

}  // namespace usbloop::launcher
