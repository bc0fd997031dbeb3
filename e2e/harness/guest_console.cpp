#include "e2e/harness/guest_console.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <optional>
#include <regex>

#include "common/unix_socket.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/process.h"

namespace usbloop::e2e {
namespace {

/// The guest writes each event as a line of its own, with a line end before it, in the middle of whatever is said. So
/// an event may also stand between the mark before a command's output and that mark's own line end.
std::string without_events(std::string text) {
  const std::string prefix = "\nusbloop-guest: ";
  text.insert(0, "\n");
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    const std::size_t end = text.find('\n', at + prefix.size());
    text.erase(at, end == std::string::npos ? end : end + 1 - at);
  }
  if (text.starts_with('\n')) text.erase(0, 1);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// What stands between a command's two marks, once both are there. The shell's echo of the command shows the marks
/// with quotes in them, so only their output matches.
std::optional<GuestResult> find_result(const std::string& text, int number) {
  const std::string begin = "@@begin-" + std::to_string(number) + "@@\n";
  const std::size_t start = text.rfind(begin);
  if (start == std::string::npos) return std::nullopt;
  const std::string end = "@@end-" + std::to_string(number) + "-";
  const std::size_t stop = text.find(end, start);
  if (stop == std::string::npos) return std::nullopt;
  const std::size_t after = text.find("@@", stop + end.size());
  if (after == std::string::npos) return std::nullopt;
  const std::string status = text.substr(stop + end.size(), after - stop - end.size());
  std::string output = text.substr(start + begin.size(), stop - start - begin.size());
  return GuestResult{.status = std::stoi(status), .output = without_events(output)};
}

}  // namespace

Fd connect_unix(const std::filesystem::path& path) {
  auto socket = connect_unix_socket(path.string());
  if (!socket) throw Failure(socket.error().message());
  return std::move(*socket);
}

GuestConsole::GuestConsole(const std::filesystem::path& socket, std::filesystem::path log)
    : fd_(connect_unix(socket)), log_(std::move(log)) {}

const std::string& GuestConsole::text() {
  std::array<char, 4096> buffer;
  ssize_t count = 0;
  while ((count = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
    for (const char byte : std::string_view(buffer.data(), static_cast<std::size_t>(count))) {
      if (byte != '\r') text_ += byte;
    }
  }
  return text_;
}

void GuestConsole::send(const std::string& line) {
  const std::string bytes = line + "\n";
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    throw Failure("the guest's console is gone");
  }
}

void GuestConsole::wait_ready(milliseconds timeout) {
  const Deadline deadline(timeout);
  // The line may have come before us, or be garbled in the log. The shell's answer decides.
  const std::string ready = "usbloop-guest: ready";
  holds_within(std::min<milliseconds>(timeout, 8s), [&] {
    return text().find(ready) != std::string::npos || read_file(log_).find(ready) != std::string::npos;
  });
  // What is typed while the shell starts may be thrown away: ask again until it answers.
  wait_until("an answer of the guest's shell", deadline.left(), [&] { return answers(); });
  const std::string failed = "usbloop-guest: failed";
  if (text().find(failed) != std::string::npos || read_file(log_).find(failed) != std::string::npos) {
    throw Failure("the guest could not set itself up: " + read_file(log_).substr(0, 2000));
  }
  // From here on without prompt, echo and line editing. An interactive busybox shell would not do: it ends when a
  // command of its background does while it waits at its prompt (the read that the signal breaks off is an end to it).
  // Ctrl-C ends the command or the reading, not the loop.
  send("stty -echo; exec sh -c 'trap : INT; while :; do IFS= read -r line && eval \"$line\"; done'");
  must_run("true", deadline.left());
}

bool GuestConsole::answers() {
  start("true");
  return holds_within(1s, [&] { return find_result(text(), commands_).has_value(); });
}

void GuestConsole::start(const std::string& command) {
  ++commands_;
  const std::string number = std::to_string(commands_);
  // By backslashes the echo of what is typed does not look like the marks. Quotes would do that too, but of a line
  // whose beginning is lost while the shell starts they would leave one open, and the shell would wait for the other
  // for ever.
  send("echo @\\@begin-" + number + "@@; " + command + "; echo @\\@end-" + number + "-$?@@");
}

GuestResult GuestConsole::finish(milliseconds timeout) {
  std::optional<GuestResult> result;
  if (!holds_within(timeout, [&] { return (result = find_result(text(), commands_)).has_value(); })) {
    throw Failure("a command in the guest did not end in " + std::to_string(timeout.count()) + " ms");
  }
  return *result;
}

void GuestConsole::start_over() {
  // Again until the shell answers: the key goes to the shell alone while it has not yet started the command.
  wait_until("the guest's command to be interrupted", 30s, [&] {
    send("\x03");
    return answers();
  });
  wait_ready();
}

GuestResult GuestConsole::run(const std::string& command, milliseconds timeout) {
  start(command);
  return finish(timeout);
}

std::string GuestConsole::must_run(const std::string& command, milliseconds timeout) {
  const GuestResult result = run(command, timeout);
  if (result.status != 0) {
    throw Failure("in the guest: " + command + ": status " + std::to_string(result.status) + ": " + result.output);
  }
  return result.output;
}

std::string GuestConsole::wait_for_line(const std::string& pattern, milliseconds timeout, std::size_t from) {
  // The whole line: what has come so far may end in the middle of it.
  const std::regex expression("([^\n]*" + pattern + "[^\n]*)\n");
  std::smatch match;
  std::string said;
  wait_until("the guest's line /" + pattern + "/", timeout, [&] {
    said = text().substr(from);
    return std::regex_search(said, match, expression);
  });
  return match[1].str();
}

bool GuestConsole::has_line(const std::string& pattern, std::size_t from) {
  return std::regex_search(text().substr(from), std::regex(pattern));
}

}  // namespace usbloop::e2e
