#include "bridge/handoff.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "common/net/descriptor_passing.h"
#include "common/net/test_support.h"

using namespace usbloop;
using namespace usbloop::bridge;
using net::test::run;

namespace {

struct Channel {
  asio::io_context loop;
  net::StreamPtr node;
  net::StreamPtr server;
  Channel() { std::tie(node, server) = net::test::stream_pair(loop); }

  net::IoResult read(net::PassedDescriptors& passed, std::string& text) {
    std::array<std::byte, 1024> buffer{};
    const net::IoResult got = net::try_read_with_descriptors(*server, buffer, passed);
    text.append(reinterpret_cast<const char*>(buffer.data()), got.bytes);
    return got;
  }
};

std::array<Fd, 2> socket_pair(int type = SOCK_STREAM) {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Sends `bytes` with several descriptors beside them.
void send_many(net::Stream& stream, const std::array<Fd, 2>& descriptors) {
  std::array<int, 2> numbers{descriptors[0].get(), descriptors[1].get()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof numbers)> room{};
  std::string text = "x";
  iovec piece{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof numbers);
  std::memcpy(CMSG_DATA(part), numbers.data(), sizeof numbers);
  REQUIRE(::sendmsg(stream.socket().native_handle(), &message, 0) == 1);
}

asio::awaitable<bool> send_head(net::Stream& node, std::string head, int descriptor) {
  const auto sent = co_await send_handoff(node, std::move(head), descriptor);
  co_return sent.has_value();
}

}  // namespace

TEST_CASE("the header goes before the empty line of a head") {
  CHECK(with_handoff("HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n") ==
        "HTTP/1.1 101 Switching Protocols\r\nA: b\r\nUsbloop-Handoff: socket\r\n\r\n");
}

TEST_CASE("a head and a socket arrive together, and no child process inherits the socket") {
  Channel channel;
  const auto device = socket_pair();
  CHECK(run(channel.loop, send_head(*channel.node, "head\r\n\r\n", device[0].get())));
  net::PassedDescriptors passed;
  std::string text;
  CHECK(channel.read(passed, text).status == net::IoStatus::ok);
  CHECK(text == "head\r\n\r\n");
  REQUIRE(passed.first);
  CHECK_FALSE(passed.surplus);
  CHECK((::fcntl(passed.first.get(), F_GETFD) & FD_CLOEXEC) != 0);
  auto stream = adopt_device(channel.loop.get_executor(), std::move(passed.first));
  REQUIRE(stream);
  CHECK(::write(device[1].get(), "hello", 5) == 5);
  std::array<std::byte, 16> buffer{};
  CHECK((*stream)->try_read(buffer).bytes == 5);
}

TEST_CASE("ending a device ends it for every holder of a copy, and what it has sent is still there") {
  asio::io_context loop;
  auto device = socket_pair();
  const int copy = ::fcntl(device[0].get(), F_DUPFD_CLOEXEC, 0);
  auto stream = adopt_device(loop.get_executor(), Fd(copy));
  REQUIRE(stream);
  CHECK(::write(device[1].get(), "last words", 10) == 10);
  end_device(device[0].get());
  std::array<char, 16> at_qemu{};
  CHECK(::read(device[1].get(), at_qemu.data(), at_qemu.size()) == 0);
  std::array<std::byte, 16> buffer{};
  CHECK((*stream)->try_read(buffer).bytes == 10);
  CHECK(run(loop, (*stream)->read_some(buffer)) == std::size_t{0});
}

TEST_CASE("more descriptors than one are noticed and closed") {
  Channel channel;
  for (int round = 0; round < 3; ++round) send_many(*channel.node, socket_pair());
  net::PassedDescriptors passed;
  std::string text;
  while (channel.read(passed, text).status == net::IoStatus::ok) {
  }
  CHECK(text == "xxx");
  CHECK(passed.surplus);
  const int first = passed.first.get();
  passed.first.reset();
  // Nothing was left open: the numbers behind the first are free again.
  const Fd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(next.get() <= first);
}

TEST_CASE("only a connected unix stream socket is taken over") {
  asio::io_context loop;
  const auto refused = [&](Fd descriptor) {
    const auto stream = adopt_device(loop.get_executor(), std::move(descriptor));
    return !stream && stream.error().kind == ErrorKind::protocol;
  };
  CHECK(refused(Fd(::open("/dev/zero", O_RDWR | O_CLOEXEC))));
  CHECK(refused(Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))));
  CHECK(refused(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))));
  CHECK(refused(std::move(socket_pair(SOCK_DGRAM)[0])));
  CHECK(refused(Fd()));
}

TEST_CASE("a lease's end is told once when the other side ends it, and not when it is closed here or nobody watches") {
  Channel channel;
  int told = 0;
  std::optional<LeaseWatch> watch(std::in_place, *channel.server, [&told] { ++told; });
  channel.loop.poll();
  CHECK(told == 0);
  SUBCASE("ended there") {
    channel.node->close();
    channel.loop.restart();
    channel.loop.poll();
    CHECK(told == 1);
  }
  SUBCASE("closed here") {
    channel.server->close();
    channel.loop.restart();
    channel.loop.poll();
    CHECK(told == 0);
  }
  SUBCASE("nobody watches any more when the loop comes to it") {
    channel.node->close();
    watch.reset();
    channel.loop.restart();
    channel.loop.poll();
    CHECK(told == 0);
  }
}
