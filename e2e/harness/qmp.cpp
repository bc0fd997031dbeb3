#include "e2e/harness/qmp.h"

#include <optional>

#include "e2e/harness/failure.h"
#include "e2e/harness/guest_console.h"

namespace usbloop::e2e {
namespace {

/// The socket's file is there a moment before QEMU listens on it.
Fd connect_when_ready(const std::filesystem::path& socket) {
  std::optional<Fd> fd;
  wait_until("QEMU's monitor " + socket.string(), 20s, [&] {
    try {
      fd = connect_unix(socket);
    } catch (const Failure&) {
      return false;
    }
    return true;
  });
  return std::move(*fd);
}

}  // namespace

Qmp::Qmp(const std::filesystem::path& socket) : socket_(connect_when_ready(socket)) { run("qmp_capabilities"); }

nlohmann::json Qmp::next_answer() {
  while (true) {
    const std::size_t end = received_.find('\n');
    if (end == std::string::npos) {
      if (!socket_.receive(received_, 30s)) throw Failure("QEMU has closed its monitor");
      continue;
    }
    const auto message = nlohmann::json::parse(received_.substr(0, end));
    received_.erase(0, end + 1);
    if (message.contains("return") || message.contains("error")) return message;
  }
}

nlohmann::json Qmp::run(const std::string& command, nlohmann::json arguments) {
  socket_.send(nlohmann::json{{"execute", command}, {"arguments", std::move(arguments)}}.dump() + "\n");
  const auto answer = next_answer();
  if (answer.contains("error")) throw Failure(command + ": " + answer["error"].value("desc", answer.dump()));
  return answer["return"];
}

void Qmp::monitor(const std::string& line) {
  const auto said = run("human-monitor-command", {{"command-line", line}}).get<std::string>();
  if (!said.empty()) throw Failure(line + ": " + said);
}

}  // namespace usbloop::e2e
