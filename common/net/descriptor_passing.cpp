#include "common/net/descriptor_passing.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace usbloop::net {
namespace {

/// Room for control messages, aligned as they must be.
template <std::size_t Descriptors>
struct alignas(cmsghdr) ControlRoom {
  std::array<std::byte, CMSG_SPACE(Descriptors * sizeof(int))> bytes{};
};

IoResult failure(IoStatus would_block) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {would_block, 0, 0};
  return {IoStatus::failed, 0, errno};
}

/// Every descriptor that the kernel has put into this process gets an owner.
void adopt(msghdr& message, PassedDescriptors& passed) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof(int), sizeof number);
      Fd descriptor(number);
      if (passed.first) passed.surplus = true;
      if (!passed.first) passed.first = std::move(descriptor);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0) passed.surplus = true;
}

}  // namespace

bool passes_descriptors(Stream& stream) {
  int domain = 0;
  socklen_t size = sizeof domain;
  const int got = ::getsockopt(stream.socket().native_handle(), SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return got == 0 && domain == AF_UNIX;
}

IoResult try_write_with_descriptor(Stream& stream, std::span<const std::byte> bytes, int descriptor) {
  iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
  ControlRoom<1> room;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes.data();
  message.msg_controllen = room.bytes.size();
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  const ssize_t sent = ::sendmsg(stream.socket().native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return failure(IoStatus::want_write);
  return {IoStatus::ok, static_cast<std::size_t>(sent), 0};
}

IoResult try_read_with_descriptors(Stream& stream, std::span<std::byte> buffer, PassedDescriptors& passed) {
  iovec piece{buffer.data(), buffer.size()};
  ControlRoom<2> room;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes.data();
  message.msg_controllen = room.bytes.size();
  const ssize_t got = ::recvmsg(stream.socket().native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got < 0) return failure(IoStatus::want_read);
  adopt(message, passed);
  if (got == 0) return {IoStatus::end, 0, 0};
  return {IoStatus::ok, static_cast<std::size_t>(got), 0};
}

}  // namespace usbloop::net
