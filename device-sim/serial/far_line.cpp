#include "device-sim/serial/far_line.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "common/log.h"
#include "device-sim/serial/far_connection.h"

namespace usbloop::device_sim {
namespace {

constexpr std::size_t kBlock = 4096;  // bytes at once

/// write(2) without SIGPIPE, which a socket would send us when its other end has gone.
ssize_t write_quietly(const Fd& line, std::span<const std::byte> bytes) {
  const ssize_t sent = ::send(line.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent < 0 && errno == ENOTSOCK ? ::write(line.get(), bytes.data(), bytes.size()) : sent;
}

Result<Fd> open_pseudoterminal(std::string& name, Fd& other_end) {
  Fd main(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!main) return make_errno_error("make", "a pseudoterminal");
  std::array<char, 128> path{};
  if (::grantpt(main.get()) != 0 || ::unlockpt(main.get()) != 0 ||
      ::ptsname_r(main.get(), path.data(), path.size()) != 0)
    return make_errno_error("make", "a pseudoterminal");
  name = path.data();
  other_end.reset(::open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!other_end) return make_errno_error("open", name);
  termios settings{};
  if (::tcgetattr(other_end.get(), &settings) != 0) return make_errno_error("look at", name);
  ::cfmakeraw(&settings);
  if (::tcsetattr(other_end.get(), TCSANOW, &settings) != 0) return make_errno_error("set", name);
  return main;
}

/// Errors: conflict, and what the system says.
Result<> make_link(const std::string& target, const std::string& link) {
  std::error_code code;
  if (std::filesystem::is_symlink(link, code)) std::filesystem::remove(link, code);
  std::filesystem::create_symlink(target, link, code);
  if (!code) return {};
  if (code == std::errc::file_exists)
    return make_error(ErrorKind::conflict, "make the link", link, "there is something of that name");
  return make_errno_error("make the link", link, code.value());
}

}  // namespace

FarLine::FarLine(Fd line, Fd poke, std::string name)
    : line_(std::move(line)), poke_(std::move(poke)), name_(std::move(name)) {}

Result<std::unique_ptr<FarLine>> FarLine::start(Fd line, const std::string& name) {
  Fd poke(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!poke) return make_errno_error("make", "an eventfd");
  if (::fcntl(line.get(), F_SETFL, ::fcntl(line.get(), F_GETFL) | O_NONBLOCK) != 0)
    return make_errno_error("set", name);
  std::unique_ptr<FarLine> far(new FarLine(std::move(line), std::move(poke), name));
  far->thread_ = std::jthread([raw = far.get()](const std::stop_token& stop) { raw->run(stop); });
  return far;
}

Result<std::unique_ptr<FarEnd>> FarLine::connect(const std::string& target) {
  auto socket = connect_far_end(target);
  if (!socket) return tl::unexpected(socket.error());
  return start(std::move(*socket), target);
}

Result<std::unique_ptr<FarEnd>> FarLine::pseudoterminal(const std::string& link) {
  std::string name;
  Fd other_end;
  auto main = open_pseudoterminal(name, other_end);
  if (!main) return tl::unexpected(main.error());
  if (auto made = make_link(name, link); !made) return tl::unexpected(made.error());
  auto far = start(std::move(*main), link);
  if (!far) return far;
  (*far)->keeps_open_ = std::move(other_end);
  (*far)->link_ = link;
  return far;
}

Result<std::unique_ptr<FarEnd>> FarLine::command(const std::string& text) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return make_errno_error("make", "a pair of sockets");
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  auto process = Process::spawn(
      {.argv = {"/bin/sh", "-c", text}, .new_group = true, .ends_with_us = true, .input_and_output = theirs.get()});
  if (!process) return tl::unexpected(process.error());
  auto far = start(std::move(ours), text);
  if (!far) return far;
  (*far)->process_.emplace(std::move(*process));
  return far;
}

FarLine::~FarLine() {
  thread_.request_stop();
  ::eventfd_write(poke_.get(), 1);
  thread_.join();
  std::error_code ignored;
  if (!link_.empty()) std::filesystem::remove(link_, ignored);
}

OutReply FarLine::put(std::span<const std::byte> data) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_there_) return OutReply::taken(data.size());
    if (!from_guest_.empty() && from_guest_.size() + data.size() > kMostWaiting) return OutReply::not_yet();
    from_guest_.insert(from_guest_.end(), data.begin(), data.end());
  }
  ::eventfd_write(poke_.get(), 1);
  return OutReply::taken(data.size());
}

std::size_t FarLine::take(std::span<std::byte> room) {
  std::size_t size = 0;
  {
    const std::lock_guard lock(mutex_);
    size = std::min(room.size(), for_guest_.size());
    const auto end = for_guest_.begin() + static_cast<std::ptrdiff_t>(size);
    std::copy(for_guest_.begin(), end, room.begin());
    for_guest_.erase(for_guest_.begin(), end);
  }
  ::eventfd_write(poke_.get(), 1);
  return size;
}

bool FarLine::empty() const {
  const std::lock_guard lock(mutex_);
  return for_guest_.empty();
}

void FarLine::clear() {
  {
    const std::lock_guard lock(mutex_);
    for_guest_.clear();
  }
  ::eventfd_write(poke_.get(), 1);
}

bool FarLine::is_there() const {
  const std::lock_guard lock(mutex_);
  return is_there_;
}

void FarLine::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void FarLine::run(const std::stop_token& stop) {
  bool goes_on = true;
  while (goes_on && !stop.stop_requested()) {
    short events = 0;
    {
      const std::lock_guard lock(mutex_);
      if (for_guest_.size() < kMostWaiting) events |= POLLIN;
      if (!from_guest_.empty()) events |= POLLOUT;
    }
    // Without events it would still be told of the end, again and again.
    std::array<pollfd, 2> both{{{events != 0 ? line_.get() : -1, events, 0}, {poke_.get(), POLLIN, 0}}};
    static_cast<void>(::poll(both.data(), both.size(), -1));
    eventfd_t pokes = 0;
    ::eventfd_read(poke_.get(), &pokes);
    goes_on = write_some() && ((events & POLLIN) == 0 || read_some());
  }
  if (goes_on) return;
  spdlog::info("the other end of the serial line, {}, has ended", name_);
  const std::lock_guard lock(mutex_);
  is_there_ = false;
  from_guest_.clear();
  if (wake_) wake_();
}

/// False when the other end is gone.
bool FarLine::write_some() {
  const std::lock_guard lock(mutex_);
  bool has_room = false;
  while (!from_guest_.empty()) {
    std::array<std::byte, kBlock> block{};
    const std::size_t size = std::min(block.size(), from_guest_.size());
    std::copy_n(from_guest_.begin(), size, block.begin());
    const ssize_t sent = write_quietly(line_, std::span(block).first(size));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      if (errno != EAGAIN) return false;
      break;
    }
    from_guest_.erase(from_guest_.begin(), from_guest_.begin() + sent);
    has_room = true;
  }
  if (has_room && wake_) wake_();
  return true;
}

bool FarLine::read_some() {
  std::array<std::byte, kBlock> block{};
  const ssize_t got = ::read(line_.get(), block.data(), block.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  const std::lock_guard lock(mutex_);
  for_guest_.insert(for_guest_.end(), block.begin(), block.begin() + got);
  if (wake_) wake_();
  return true;
}

}  // namespace usbloop::device_sim
