#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::launcher {

/// A QEMU Machine Protocol client: blocking with deadlines, one command at a time, for one thread. Lines are bounded; a
/// line that is no JSON object ends the conversation with ErrorKind::protocol. After any error but `conflict` (QEMU
/// refused the command) the connection is useless.
class Qmp {
 public:
  static constexpr std::size_t kMaxLine = 1024 * 1024;  ///< bytes

  /// Connects to the socket in `directory` and leaves the capabilities negotiation behind. QEMU serves one client at
  /// a time: a second one waits, and gets `timeout`.
  static Result<Qmp> connect(const std::string& directory, std::chrono::milliseconds timeout);
  /// The same on a connected socket.
  static Result<Qmp> greet(Fd socket, std::chrono::milliseconds timeout);

  /// Runs a command and returns its "return" value.
  Result<nlohmann::json> execute(const std::string& command, const nlohmann::json& arguments,
                                 std::chrono::milliseconds timeout);
  Result<nlohmann::json> execute(const std::string& command, std::chrono::milliseconds timeout);

  /// Gives QEMU a copy of the descriptor, which commands then name by `name` (getfd).
  Result<> give_descriptor(const std::string& name, const Fd& descriptor, std::chrono::milliseconds timeout);

  /// "running", "paused", … (query-status).
  Result<std::string> status(std::chrono::milliseconds timeout);
  /// Whether the guest sees a device at the USB slot (usb.md section 6).
  Result<bool> usb_attached(int slot, std::chrono::milliseconds timeout);

  /// Takes what has come, without waiting. Events before an error count. The error means that QEMU has closed the
  /// connection.
  Result<> take_events();
  /// Whether QEMU's status may have changed since this was asked last; true at first.
  bool take_status_change() { return std::exchange(status_changed_, false); }
  /// Whether QEMU has announced that it ends in order: event SHUTDOWN, and no STOP after it, which says that the
  /// machine is kept. From then on it must not be asked anything (usb.md section 6: a command can keep QEMU 7.2 from
  /// its end).
  [[nodiscard]] bool announced_end() const { return announced_end_; }

 private:
  explicit Qmp(Fd socket) : socket_(std::move(socket)) {}
  Result<nlohmann::json> ask(const std::string& command, const nlohmann::json& arguments, int descriptor,
                             std::chrono::milliseconds timeout);
  Result<nlohmann::json> next_message(std::chrono::steady_clock::time_point deadline);
  Result<> fill(std::chrono::steady_clock::time_point deadline);
  Result<nlohmann::json> take_line(std::size_t end);
  void note_event(const nlohmann::json& message);

  Fd socket_;
  std::string input_;
  std::uint64_t last_id_ = 0;
  bool announced_end_ = false;
  bool status_changed_ = true;
};

}  // namespace usbloop::launcher
