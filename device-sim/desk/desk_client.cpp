#include "device-sim/desk/desk_client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/json_at.h"
#include "common/json_text.h"
#include "common/unix_socket.h"
#include "device-sim/desk/desk_name.h"

namespace usbloop::desk {

namespace {

using Clock = std::chrono::steady_clock;

/// An answer may wait for the end of a redirection, and that for a disk.
constexpr std::chrono::milliseconds kAnswerTime{15'000};
constexpr std::size_t kLongestAnswer = 1024 * 1024;

/// Room for one descriptor beside the bytes.
struct alignas(cmsghdr) DescriptorRoom {
  std::array<std::byte, CMSG_SPACE(sizeof(int))> bytes{};
};

void adopt_descriptor(msghdr& message, Fd& into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    if (part->cmsg_len < CMSG_LEN(sizeof(int))) continue;
    int number = -1;
    std::memcpy(&number, CMSG_DATA(part), sizeof number);
    into.reset(number);
  }
}

Result<> check_peer(int fd, const std::string& desk) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return make_errno_error("look at", desk);
  if (peer.uid == ::geteuid() || peer.uid == 0) return {};
  return make_error(ErrorKind::denied, "use the desk", desk, "it is another user's");
}

}  // namespace

Result<DeskClient> DeskClient::connect(const std::string& desk) {
  const auto path = socket_of_desk(desk);
  if (!path) return tl::unexpected(path.error());
  auto fd = connect_unix_socket(*path);
  if (!fd && (fd.error().kind == ErrorKind::not_found || fd.error().kind == ErrorKind::unavailable)) {
    return make_error(ErrorKind::unavailable, "use the desk", desk, "it is not running",
                      "Begin it with: device-sim desk " + desk);
  }
  if (!fd) return make_error(fd.error().kind, "use the desk", desk, fd.error().message());
  if (auto ours = check_peer(fd->get(), desk); !ours) return tl::unexpected(ours.error());
  return DeskClient(std::move(*fd), desk);
}

tl::unexpected<Error> DeskClient::gone() const {
  return make_error(ErrorKind::unavailable, "use the desk", desk_, "it has ended", "device-sim desk begins it anew.");
}

Result<> DeskClient::send(const std::string& line) {
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t part = ::send(fd_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return gone();
    sent += static_cast<std::size_t>(part);
  }
  return {};
}

/// Reads what is there, without waiting; false when that is nothing.
Result<bool> DeskClient::receive() {
  std::array<char, 16 * 1024> block{};
  iovec piece{block.data(), block.size()};
  DescriptorRoom room;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes.data();
  message.msg_controllen = room.bytes.size();
  const ssize_t got = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got < 0) return gone();
  adopt_descriptor(message, passed_);
  if (got == 0) return gone();
  input_.append(block.data(), static_cast<std::size_t>(got));
  if (input_.size() <= kLongestAnswer) return true;
  return make_error(ErrorKind::protocol, "understand", "the desk " + desk_, "its answer is too long");
}

Result<std::optional<nlohmann::json>> DeskClient::next_line(std::chrono::milliseconds time) {
  const auto until = Clock::now() + time;
  while (true) {
    if (const auto end = input_.find('\n'); end != std::string::npos) {
      auto object = parse_json_object(std::string_view(input_).substr(0, end));
      input_.erase(0, end + 1);
      if (!object) return tl::unexpected(object.error());
      return std::optional(std::move(*object));
    }
    const auto some = receive();
    if (!some) return tl::unexpected(some.error());
    if (*some) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return std::optional<nlohmann::json>();
    pollfd readable{fd_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) return make_errno_error("wait", "");
  }
}

void DeskClient::wait_readable(std::chrono::milliseconds time, const std::stop_token& stop) const {
  const Fd stopped(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake(stop, [&stopped] { ::eventfd_write(stopped.get(), 1); });
  std::array<pollfd, 2> both{{{fd_.get(), POLLIN, 0}, {stopped.get(), POLLIN, 0}}};
  static_cast<void>(::poll(both.data(), both.size(), static_cast<int>(time.count())));
}

Result<nlohmann::json> DeskClient::ask(const Request& request) {
  if (auto sent = send(request_line(request)); !sent) return tl::unexpected(sent.error());
  auto answer = next_line(kAnswerTime);
  if (!answer) return tl::unexpected(answer.error());
  if (!*answer) return make_error(ErrorKind::timeout, "use the desk", desk_, "it does not answer");
  if (const auto* error = element_at(**answer, "/error")) return tl::unexpected(error_from(*error));
  return std::move(**answer);
}

Result<std::vector<DeviceInfo>> devices_from(const nlohmann::json& answer) {
  std::vector<DeviceInfo> devices;
  for (const auto& object : array_at(answer, "/devices")) {
    auto device = device_info_from(object);
    if (!device) return tl::unexpected(device.error());
    devices.push_back(std::move(*device));
  }
  return devices;
}

Result<std::vector<DeviceInfo>> DeskClient::list() {
  const auto answer = ask({.what = Request::What::list});
  if (!answer) return tl::unexpected(answer.error());
  return devices_from(*answer);
}

Result<std::vector<DeviceInfo>> DeskClient::watch() {
  const auto answer = ask({.what = Request::What::watch});
  if (!answer) return tl::unexpected(answer.error());
  return devices_from(*answer);
}

Result<DeskClient::Taken> DeskClient::take(const std::string& name, const std::string& program) {
  const auto answer = ask({.what = Request::What::take, .device = name, .program = program});
  if (!answer) return tl::unexpected(answer.error());
  const auto* object = element_at(*answer, "/device");
  if (object == nullptr || !passed_) {
    return make_error(ErrorKind::protocol, "take", "device " + name, "the desk gives none");
  }
  auto device = device_info_from(*object);
  if (!device) return tl::unexpected(device.error());
  return Taken{std::move(*device), std::move(passed_)};
}

void DeskClient::release() {
  static_cast<void>(send(request_line({.what = Request::What::release})));  // where it has gone nothing is held
}

}  // namespace usbloop::desk
