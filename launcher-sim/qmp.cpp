#include "launcher-sim/qmp.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <nlohmann/json.hpp>

#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxLine = 1024 * 1024;

tl::unexpected<Error> broken(const std::string& cause) {
  return make_error(ErrorKind::protocol, "speak QMP with", "QEMU", cause);
}

/// Connects through the folder's descriptor: the path itself may be longer than a socket address holds.
Result<Fd> connect_in(const std::string& directory) {
  const Fd folder(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return make_errno_error("open", directory);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return make_errno_error("make", "a socket");
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + kQmpSocket;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return make_errno_error("connect to", directory + "/" + kQmpSocket);
  }
  return socket;
}

}  // namespace

Result<Qmp> Qmp::connect(const std::string& directory, std::chrono::milliseconds timeout) {
  auto socket = connect_in(directory);
  if (!socket) return tl::unexpected(socket.error());
  Qmp qmp(std::move(*socket));
  const auto greeting = qmp.next_message(Clock::now() + timeout);
  if (!greeting) return tl::unexpected(greeting.error());
  if (!greeting->contains("QMP")) return broken("no greeting");
  if (auto ready = qmp.execute("qmp_capabilities", timeout); !ready) return tl::unexpected(ready.error());
  return qmp;
}

Result<json> Qmp::execute(const std::string& command, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const std::string line = json{{"execute", command}}.dump() + "\n";
  // A command is far smaller than a socket's buffer, so it goes in whole or the peer is gone.
  if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return make_errno_error("send a QMP command to", "QEMU");
  }
  while (true) {
    auto message = next_message(deadline);
    if (!message) return message;
    if (message->contains("return")) return (*message)["return"];
    if (message->contains("error")) return broken(command + ": " + (*message)["error"].dump());
    note_event(*message);
  }
}

Result<> Qmp::take_events() {
  if (auto got = fill(Clock::now()); !got && got.error().kind != ErrorKind::timeout) return got;
  for (auto end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
    const auto message = pop_line(end);
    if (!message) return tl::unexpected(message.error());
    note_event(*message);
  }
  return {};
}

Result<json> Qmp::next_message(Clock::time_point deadline) {
  while (true) {
    if (const auto end = input_.find('\n'); end != std::string::npos) return pop_line(end);
    if (auto got = fill(deadline); !got) return tl::unexpected(got.error());
  }
}

Result<json> Qmp::pop_line(std::size_t end) {
  json message = json::parse(input_.substr(0, end), nullptr, false);
  input_.erase(0, end + 1);
  if (!message.is_object()) return broken("a line is not a JSON object");
  return message;
}

Result<> Qmp::fill(Clock::time_point deadline) {
  if (input_.size() > kMaxLine) return broken("a line is longer than 1 MiB");
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd waiting{socket_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(std::max<long>(left, 0))) <= 0) {
    return make_error(ErrorKind::timeout, "hear from", "QEMU", "no answer in time");
  }
  std::array<char, 16384> buffer{};
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return make_errno_error("read from", "QEMU");
  if (got == 0) return make_error(ErrorKind::unavailable, "read from", "QEMU", "it closed the connection");
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  return {};
}

void Qmp::note_event(const json& message) {
  if (message.contains("event") && message["event"] == "SHUTDOWN") saw_shutdown_ = true;
}

}  // namespace usbloop::launcher
