#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "e2e/harness/tls_socket.h"

namespace usbloop::e2e {

/// The monitor of a QEMU of the harness's own (QMP), for what a person does to hardware: plugging, typing, pulling out.
class Qmp {
 public:
  /// Connects to QEMU's QMP socket, and waits for it.
  explicit Qmp(const std::filesystem::path& socket);

  /// Runs a command; throws Failure with QEMU's words when it refuses. Returns what the command returns.
  nlohmann::json run(const std::string& command, nlohmann::json arguments = nlohmann::json::object());
  /// The same for a line of the monitor for people; what it says is a Failure, as those commands are silent.
  void monitor(const std::string& line);

 private:
  /// The next answer; events are passed over.
  nlohmann::json next_answer();

  PlainSocket socket_;
  std::string received_;
};

}  // namespace usbloop::e2e
