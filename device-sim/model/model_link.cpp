#include "device-sim/model/model_link.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "common/unix_socket.h"

namespace usbloop::device_sim {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kHelloTime{2000};

Result<Fd> connected(const std::string& path) {
  auto socket = connect_unix_socket(path, SOCK_NONBLOCK);
  if (socket) return socket;
  socket.error().operation = "connect to the model";
  if (socket.error().kind == ErrorKind::not_found || socket.error().kind == ErrorKind::unavailable)
    socket.error().hint = "Start the program that listens there first.";
  return socket;
}

}  // namespace

ModelLink::ModelLink(Fd socket, Fd poke, std::string path)
    : path_(std::move(path)), socket_(std::move(socket)), poke_(std::move(poke)) {}

Result<std::unique_ptr<ModelLink>> ModelLink::connect(const std::string& path) {
  auto socket = connected(path);
  if (!socket) return tl::unexpected(socket.error());
  Fd poke(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!poke) return make_errno_error("make", "an eventfd");
  std::unique_ptr<ModelLink> link(new ModelLink(std::move(*socket), std::move(poke), path));
  if (auto heard = link->hear_hello(); !heard) return tl::unexpected(heard.error());
  link->thread_ = std::jthread([raw = link.get()](const std::stop_token& stop) { raw->run(stop); });
  return link;
}

ModelLink::~ModelLink() {
  thread_.request_stop();
  ::eventfd_write(poke_.get(), 1);
}

Result<> ModelLink::hear_hello() {
  const auto until = Clock::now() + kHelloTime;
  while (true) {
    if (const auto end = input_.find('\n'); end != std::string::npos) {
      auto hello = parse_model_hello(std::string_view(input_).substr(0, end), path_);
      if (!hello) return tl::unexpected(hello.error());
      hello_ = std::move(*hello);
      input_.erase(0, end + 1);
      return {};
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) {
      return make_error(ErrorKind::timeout, "hear from the model", path_, "it does not say what its device is",
                        "docs/devices.md has its first line.");
    }
    pollfd waiting{socket_.get(), POLLIN, 0};
    static_cast<void>(::poll(&waiting, 1, static_cast<int>(left)));
    if (!read_some()) return tl::unexpected(*trouble());
  }
}

void ModelLink::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void ModelLink::send(const std::string& line, std::optional<std::uint64_t> id) {
  {
    const std::lock_guard lock(mutex_);
    if (trouble_) return;
    if (!output_.empty() && output_.size() + line.size() > kMostUnread) {
      trouble_ = Error{ErrorKind::timeout, "speak to the model", path_, "it does not read", ""};
      return output_.clear();
    }
    output_ += line;
    if (id) asked_.insert(*id);
  }
  ::eventfd_write(poke_.get(), 1);
}

std::optional<ModelAnswer> ModelLink::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  auto found = answers_.extract(id);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

void ModelLink::forget(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  asked_.erase(id);
  answers_.erase(id);
}

std::optional<Error> ModelLink::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void ModelLink::run(const std::stop_token& stop) {
  bool goes_on = take_lines();  // what came behind the hello
  while (goes_on && !stop.stop_requested()) {
    bool has_output = false;
    {
      const std::lock_guard lock(mutex_);
      has_output = !output_.empty();
    }
    std::array<pollfd, 2> both{
        {{socket_.get(), static_cast<short>(has_output ? POLLIN | POLLOUT : POLLIN), 0}, {poke_.get(), POLLIN, 0}}};
    static_cast<void>(::poll(both.data(), both.size(), -1));
    eventfd_t pokes = 0;
    ::eventfd_read(poke_.get(), &pokes);
    goes_on = write_some() && read_some() && take_lines();
  }
}

/// False when the connection has ended.
bool ModelLink::write_some() {
  const std::unique_lock lock(mutex_);
  while (!output_.empty()) {
    const ssize_t sent = ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return true;  // no room; or the end, which reading finds
    output_.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

bool ModelLink::read_some() {
  std::array<char, std::size_t{64} << 10> block{};
  const ssize_t got = ::recv(socket_.get(), block.data(), block.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) {
    end(Error{ErrorKind::unavailable, "speak to the model", path_, "it has ended", ""});
    return false;
  }
  input_.append(block.data(), static_cast<std::size_t>(got));
  if (input_.size() <= kLongestModelLine) return true;
  end(Error{ErrorKind::protocol, "understand", "the model " + path_, "a line is longer than 8 MiB", ""});
  return false;
}

bool ModelLink::take_lines() {
  for (auto end_of_line = input_.find('\n'); end_of_line != std::string::npos; end_of_line = input_.find('\n')) {
    auto answer = parse_model_answer(std::string_view(input_).substr(0, end_of_line));
    input_.erase(0, end_of_line + 1);
    if (!answer) {
      end(answer.error());
      return false;
    }
    const std::lock_guard lock(mutex_);
    // What nobody waits for any more was given up by the guest.
    if (asked_.erase(answer->id) == 1) answers_.emplace(answer->id, std::move(*answer));
    if (wake_) wake_();
  }
  return true;
}

void ModelLink::end(Error error) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(error);
  output_.clear();
  if (wake_) wake_();
}

}  // namespace usbloop::device_sim
