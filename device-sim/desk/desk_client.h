#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/fd.h"
#include "device-sim/desk/device_info.h"
#include "device-sim/desk/protocol.h"

namespace usbloop::desk {

/// A connection to a running desk, for one thread. Calls wait for answers, with a limit.
class DeskClient {
 public:
  /// `desk` is a desk file or a socket. Errors: not_found (no such file), unavailable (no desk runs there; the hint
  /// says how to begin it), denied (it is another user's).
  static Result<DeskClient> connect(const std::string& desk);

  /// Asks, and reads the answer. Errors: the desk's own; timeout; unavailable (it has gone).
  Result<nlohmann::json> ask(const Request& request);

  /// The devices, in the order of the desk's file.
  Result<std::vector<DeviceInfo>> list();

  /// What is wanted from take().
  struct Taken {
    DeviceInfo device;
    Fd stream;  ///< carries usbredir; the desk is the usb-host end
  };
  /// Takes the device of that name until release(), or the end of this object. Errors: not_found, conflict.
  Result<Taken> take(const std::string& name, const std::string& program);

  /// Begins to hear of changes; then each line of next_line() is an answer to `list`.
  Result<std::vector<DeviceInfo>> watch();

  /// Asks for the end of take(); the desk's last word follows.
  void release();

  /// The next line, if it comes within `time`; nothing when that is over. Errors: unavailable (the desk has gone),
  /// protocol.
  Result<std::optional<nlohmann::json>> next_line(std::chrono::milliseconds time);

  /// Waits until something has come, `time` has passed or `stop` was requested. A line that was read before may wait
  /// all the same.
  void wait_readable(std::chrono::milliseconds time, const std::stop_token& stop) const;

  /// For poll(), as wait_readable().
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  DeskClient(Fd fd, std::string desk) : fd_(std::move(fd)), desk_(std::move(desk)) {}
  Result<> send(const std::string& line);
  Result<bool> receive();
  tl::unexpected<Error> gone() const;

  Fd fd_;
  std::string desk_;
  std::string input_;
  Fd passed_;  ///< the descriptor that came last
};

/// The devices of an answer to `list`.
Result<std::vector<DeviceInfo>> devices_from(const nlohmann::json& answer);

}  // namespace usbloop::desk
