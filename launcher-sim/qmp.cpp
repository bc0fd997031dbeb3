#include "launcher-sim/qmp.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/json_text.h"
#include "common/unix_socket.h"
#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

tl::unexpected<Error> broken(const std::string& cause) {
  return make_error(ErrorKind::protocol, "speak QMP with", "QEMU", cause);
}

/// As send(2); with a copy of `descriptor` beside the first byte, if it is one.
ssize_t send_with_descriptor(int socket, const std::string& bytes, int descriptor) {
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Result<Qmp> Qmp::connect(const std::string& directory, std::chrono::milliseconds timeout) {
  auto socket = connect_unix_socket(directory + "/" + kQmpSocket, SOCK_NONBLOCK);
  if (!socket) return tl::unexpected(socket.error());
  return greet(std::move(*socket), timeout);
}

Result<Qmp> Qmp::greet(Fd socket, std::chrono::milliseconds timeout) {
  Qmp qmp(std::move(socket));
  const auto greeting = qmp.next_message(Clock::now() + timeout);
  if (!greeting) return tl::unexpected(greeting.error());
  if (!greeting->contains("QMP")) return broken("no greeting");
  if (auto ready = qmp.execute("qmp_capabilities", timeout); !ready) return tl::unexpected(ready.error());
  return qmp;
}

Result<json> Qmp::execute(const std::string& command, std::chrono::milliseconds timeout) {
  return execute(command, json::object(), timeout);
}

Result<json> Qmp::execute(const std::string& command, const json& arguments, std::chrono::milliseconds timeout) {
  return ask(command, arguments, -1, timeout);
}

Result<> Qmp::give_descriptor(const std::string& name, const Fd& descriptor, std::chrono::milliseconds timeout) {
  const auto answer = ask("getfd", {{"fdname", name}}, descriptor.get(), timeout);
  if (!answer) return tl::unexpected(answer.error());
  return {};
}

Result<json> Qmp::ask(const std::string& command, const json& arguments, int descriptor,
                      std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const std::uint64_t id = ++last_id_;
  json request = {{"execute", command}, {"id", id}};
  if (!arguments.empty()) request["arguments"] = arguments;
  const std::string line = request.dump() + "\n";
  // A command is far smaller than a socket's buffer. It goes in whole, unless the peer no longer reads.
  const auto sent = send_with_descriptor(socket_.get(), line, descriptor);
  if (sent != static_cast<ssize_t>(line.size())) return make_errno_error("send a QMP command to", "QEMU");
  while (true) {
    auto message = next_message(deadline);
    if (!message) return message;
    if (message->contains("event")) {
      note_event(*message);
      continue;
    }
    if (message->value("id", json()) != id) continue;  // the answer to a command that we no longer wait for
    if (message->contains("return")) return (*message)["return"];
    const json error = message->value("error", json::object());
    const json text = error.is_object() ? error.value("desc", json()) : json();
    return make_error(ErrorKind::conflict, "run the QMP command " + command + " in", "QEMU",
                      text.is_string() ? text.get<std::string>() : "refused");
  }
}

Result<std::string> Qmp::status(std::chrono::milliseconds timeout) {
  const auto answer = execute("query-status", timeout);
  if (!answer) return tl::unexpected(answer.error());
  const json status = answer->is_object() ? answer->value("status", json()) : json();
  if (!status.is_string()) return broken("query-status without a status");
  return status.get<std::string>();
}

Result<bool> Qmp::usb_attached(int slot, std::chrono::milliseconds timeout) {
  const json arguments = {{"path", "/machine/peripheral/redir" + std::to_string(slot)}, {"property", "attached"}};
  const auto answer = execute("qom-get", arguments, timeout);
  if (!answer) return tl::unexpected(answer.error());
  if (!answer->is_boolean()) return broken("'attached' is no boolean");
  return answer->get<bool>();
}

Result<> Qmp::take_events() {
  while (true) {
    const auto got = fill(Clock::now());
    for (auto end = input_.find('\n'); end != std::string::npos; end = input_.find('\n')) {
      const auto message = take_line(end);
      if (!message) return tl::unexpected(message.error());
      note_event(*message);
    }
    if (got) continue;
    if (got.error().kind == ErrorKind::timeout) return {};
    return got;
  }
}

Result<json> Qmp::next_message(Clock::time_point deadline) {
  while (true) {
    if (const auto end = input_.find('\n'); end != std::string::npos) return take_line(end);
    if (auto got = fill(deadline); !got) return tl::unexpected(got.error());
  }
}

Result<json> Qmp::take_line(std::size_t end) {
  auto message = parse_json_object(std::string_view(input_).substr(0, end));
  input_.erase(0, end + 1);
  if (!message) return broken("a line: " + message.error().cause);
  return message;
}

Result<> Qmp::fill(Clock::time_point deadline) {
  if (input_.size() > kMaxLine) return broken("a line is longer than 1 MiB");
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd waiting{socket_.get(), POLLIN, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
  if (ready < 0 && errno != EINTR) return make_errno_error("wait for", "QEMU");
  if (ready <= 0) {
    if (Clock::now() < deadline) return {};
    return make_error(ErrorKind::timeout, "hear from", "QEMU", "no answer in time");
  }
  std::array<char, 16384> buffer{};
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  if (got < 0) return make_errno_error("read from", "QEMU");
  if (got == 0) return make_error(ErrorKind::unavailable, "read from", "QEMU", "it closed the connection");
  input_.append(buffer.data(), static_cast<std::size_t>(got));
  return {};
}

void Qmp::note_event(const json& message) {
  const json event = message.value("event", json());
  if (event == "SHUTDOWN") announced_end_ = true;
  if (event == "STOP" || event == "RESUME") {
    announced_end_ = false;  // the machine is kept, for a reboot
    status_changed_ = true;
  }
}

}  // namespace usbloop::launcher
