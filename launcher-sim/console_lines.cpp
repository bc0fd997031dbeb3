#include "launcher-sim/console_lines.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/unix_socket.h"
#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;

/// A guest may say anything: what is kept of a line without an end.
constexpr std::size_t kMaxLineHeard = 64 * 1024;
/// How soon a request to stop is seen.
constexpr int kLookEveryMs = 100;

}  // namespace

Result<ConsoleLines> ConsoleLines::connect(const std::string& directory) {
  auto socket = connect_unix_socket(directory + "/" + kSerialSocket, SOCK_NONBLOCK);
  if (!socket) return tl::unexpected(socket.error());
  return ConsoleLines(std::move(*socket));
}

Result<> ConsoleLines::wait(short events, Clock::time_point deadline, const std::stop_token& stop) const {
  while (!stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return make_error(ErrorKind::timeout, "hear from", "the guest", "no answer in time");
    pollfd entry{socket_.get(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, kLookEveryMs)));
    if (ready < 0 && errno != EINTR) return make_errno_error("wait for", "the guest");
    if (ready > 0) return {};
  }
  return make_error(ErrorKind::cancelled, "hear from", "the guest", "we are to stop");
}

Result<> ConsoleLines::send(const std::string& line, std::chrono::milliseconds timeout, const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  const std::string text = line + "\n";
  for (std::size_t done = 0; done < text.size();) {
    const auto put = ::send(socket_.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (errno != EAGAIN && errno != EINTR) {
      return make_errno_error("write to", "the guest's console");
    } else if (auto waited = wait(POLLOUT, deadline, stop); !waited) {
      return waited;
    }
  }
  return {};
}

Result<std::string> ConsoleLines::wait_for(const std::vector<std::string>& beginnings,
                                           std::chrono::milliseconds timeout, const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  while (true) {
    for (auto end = heard_.find('\n'); end != std::string::npos; end = heard_.find('\n')) {
      std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      const auto begins = [&line](const std::string& beginning) { return line.starts_with(beginning); };
      if (std::any_of(beginnings.begin(), beginnings.end(), begins)) return line;
    }
    if (heard_.size() > kMaxLineHeard) heard_.clear();
    if (auto waited = wait(POLLIN, deadline, stop); !waited) return tl::unexpected(waited.error());
    std::array<char, 4096> buffer{};
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got < 0) return make_errno_error("read from", "the guest's console");
    if (got == 0) return make_error(ErrorKind::unavailable, "hear from", "the guest", "QEMU closed the console");
    heard_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace usbloop::launcher
