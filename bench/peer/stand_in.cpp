// Stands in for QEMU under launcher-sim (--qemu): a guest without a machine in it, so that a thousand sessions fit into
// a bench. It makes the sockets that its command line names, answers QMP as far as launcher-sim asks, and hands the USB
// sockets over to the peer, which speaks usbredir there and has its socket (control.sock) in the folder where the
// stand-in is called. Ends when told by QMP or a signal, and with the peer.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "bench/sockets.h"

namespace usbloop::bench {
namespace {

constexpr int kBacklog = 8;
constexpr std::size_t kLongestLine = 64 * 1024;

/// The value of `key=` in QEMU's option text.
std::string option(std::string_view text, std::string_view key) {
  const std::string wanted = "," + std::string(key) + "=";
  const auto at = text.find(wanted);
  if (at == std::string_view::npos) return {};
  const auto begin = at + wanted.size();
  return std::string(text.substr(begin, text.find(',', begin) - begin));
}

void say(int fd, const std::string& line) {
  static_cast<void>(::send(fd, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

/// One client of the monitor.
struct Monitor {
  Fd socket;
  std::string input;
};

/// Answers one command. True when it was to end.
bool obey(int fd, const std::string& line) {
  const auto id_at = line.find("\"id\":");
  const std::string id = id_at == std::string::npos ? "0" : std::to_string(std::strtoul(&line[id_at + 5], nullptr, 10));
  const auto is = [&line](const char* command) {
    return line.find(std::string("\"") + command + "\"") != std::string::npos;
  };
  const char* value = "{}";
  if (is("query-status")) value = R"({"running": true, "singlestep": false, "status": "running"})";
  if (is("qom-get")) value = "false";
  say(fd, std::string(R"({"return": )") + value + ", \"id\": " + id + "}\r\n");
  if (!is("system_powerdown") && !is("quit")) return false;
  say(fd, R"({"timestamp": {"seconds": 0, "microseconds": 0}, "event": "SHUTDOWN", "data": {"guest": true}})"
          "\r\n");
  return true;
}

/// Reads what a client of the monitor says. False when it has gone; `end` when it wants this guest to end.
bool hear(Monitor& monitor, bool& end) {
  std::array<char, 1024> buffer{};
  const ssize_t got = ::recv(monitor.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got <= 0 || monitor.input.size() > kLongestLine) return false;
  monitor.input.append(buffer.data(), static_cast<std::size_t>(got));
  for (auto at = monitor.input.find('\n'); at != std::string::npos; at = monitor.input.find('\n')) {
    end = obey(monitor.socket.get(), monitor.input.substr(0, at)) || end;
    monitor.input.erase(0, at + 1);
  }
  return true;
}

class StandIn {
 public:
  StandIn(int argc, char** argv) {
    std::vector<Fd> usb;
    for (int i = 1; i + 1 < argc; ++i) {
      if (std::string_view(argv[i]) != "-chardev") continue;
      const std::string id = option(argv[i + 1], "id");
      Fd socket = listen_unix(option(argv[i + 1], "path"), kBacklog);
      if (id.starts_with("charredir")) {
        usb.push_back(std::move(socket));
      } else if (id == "qmp") {
        qmp_ = std::move(socket);
      } else {
        others_.push_back(std::move(socket));
      }
    }
    hand_over(std::filesystem::path(argv[0]).parent_path() / "control.sock", usb);
  }

  void run() {
    bool end = false;
    while (!end) {
      std::vector<pollfd> entries{{peer_.get(), POLLIN, 0}, {qmp_.get(), POLLIN, 0}};
      for (const Monitor& monitor : monitors_) entries.push_back({monitor.socket.get(), POLLIN, 0});
      if (::poll(entries.data(), entries.size(), -1) < 0) continue;
      if (entries[0].revents != 0) return;  // the peer never says anything: it has ended
      for (std::size_t i = monitors_.size(); i > 0; --i) {
        if (entries[i + 1].revents == 0 || hear(monitors_[i - 1], end)) continue;
        monitors_.erase(monitors_.begin() + static_cast<std::ptrdiff_t>(i - 1));
      }
      if (entries[1].revents != 0) greet();
    }
  }

 private:
  void hand_over(const std::string& control, const std::vector<Fd>& sockets) {
    peer_ = connect_unix_to(control);
    std::vector<int> numbers;
    for (const Fd& socket : sockets) numbers.push_back(socket.get());
    if (!numbers.empty()) send_fds(peer_.get(), numbers.data(), numbers.size());
  }

  void greet() {
    Fd socket(::accept4(qmp_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    say(socket.get(), R"({"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 0}, "package": "stand-in"}, )"
                      R"("capabilities": []}})"
                      "\r\n");
    monitors_.push_back({std::move(socket), {}});
  }

  Fd peer_;
  Fd qmp_;
  std::vector<Fd> others_;  ///< sockets that only have to be there
  std::vector<Monitor> monitors_;
};

}  // namespace
}  // namespace usbloop::bench

int main(int argc, char** argv) {
  return usbloop::bench::run_program([argc, argv] {
    usbloop::bench::StandIn(argc, argv).run();
    ::unlink("qemu.pid");  // as QEMU does when it ends in order
  });
}
