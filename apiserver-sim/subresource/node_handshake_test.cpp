#include "apiserver-sim/subresource/node_handshake.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <asio/experimental/awaitable_operators.hpp>
#include <cstring>

#include "bridge/handoff.h"
#include "common/net/test_support.h"

using namespace usbloop;
using namespace usbloop::apiserver;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;
using net::test::run;

namespace {

const std::string kAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

/// Sends `text` with as many copies of /dev/null as told beside its first byte.
void send_with(net::Stream& node, const std::string& text, std::size_t count) {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::array<int, 8> numbers{};
  numbers.fill(null.get());
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof numbers)> room{};
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = room.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(part), numbers.data(), count * sizeof(int));
  }
  REQUIRE(::sendmsg(node.socket().native_handle(), &message, 0) == static_cast<ssize_t>(text.size()));
}

struct Exchange {
  std::string request;
  Result<NodeAnswer> answer;
};

asio::awaitable<std::string> play_node(net::Stream& node, std::string answer, std::size_t descriptors) {
  std::array<std::byte, 4096> buffer{};
  const auto got = co_await node.read_some(buffer);
  send_with(node, answer, descriptors);
  node.shutdown_write();
  co_return std::string(reinterpret_cast<const char*>(buffer.data()), got.value_or(0));
}

Exchange shake(const std::string& answer, std::size_t descriptors, Handoff handoff = Handoff::offer) {
  asio::io_context loop;
  auto [node, server] = net::test::stream_pair(loop);
  const auto both = [&]() -> asio::awaitable<Exchange> {
    Exchange result;
    auto [request, got] =
        co_await (play_node(*node, answer, descriptors) && shake_hands_with_node(*server, "/path", "key", handoff, 5s));
    result.request = std::move(request);
    result.answer = std::move(got);
    co_return result;
  };
  return run(loop, both());
}

}  // namespace

TEST_CASE("a node is offered the handoff, and its socket comes with the answer") {
  const Exchange done = shake(bridge::with_handoff(kAnswer), 1);
  CHECK(done.request.find("\r\nUsbloop-Handoff: socket\r\n") != std::string::npos);
  REQUIRE(done.answer);
  CHECK(done.answer->device);
  CHECK(shake(kAnswer, 0, Handoff::none).request.find("Handoff") == std::string::npos);
}

TEST_CASE("a node that does not know the handoff is an ordinary one, and its stream begins behind the head") {
  const Exchange done = shake(kAnswer + "early bytes", 0);
  REQUIRE(done.answer);
  CHECK_FALSE(done.answer->device);
  CHECK(done.answer->rest == "early bytes");
}

TEST_CASE("descriptors that nobody announced are closed") {
  const Fd before(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (int round = 0; round < 20; ++round) {
    const Exchange done = shake(kAnswer, 3);
    REQUIRE(done.answer);
    CHECK_FALSE(done.answer->device);
  }
  const Fd after(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(after.get() == before.get() + 1);
}

TEST_CASE("a handoff of nothing, of many descriptors, of another kind or with bytes behind it is refused") {
  const std::string good = bridge::with_handoff(kAnswer);
  const std::string other_kind = kAnswer.substr(0, kAnswer.size() - 2) + "Usbloop-Handoff: house\r\n\r\n";
  for (const auto& [answer, descriptors] : std::initializer_list<std::pair<std::string, std::size_t>>{
           {good, 0}, {good, 2}, {good, 8}, {other_kind, 1}, {good + "behind", 1}}) {
    CAPTURE(answer);
    CAPTURE(descriptors);
    const Exchange done = shake(answer, descriptors);
    REQUIRE_FALSE(done.answer);
    CHECK(done.answer.error().kind == ErrorKind::protocol);
  }
}

TEST_CASE("a refusal keeps its text") {
  const Exchange done = shake("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", 0);
  REQUIRE(done.answer);
  CHECK(done.answer->head.status == 503);
  CHECK(done.answer->rest == "busy");
}

TEST_CASE("a refusal comes in chunks too, and a long one is cut") {
  const Exchange chunked =
      shake("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n", 0);
  REQUIRE(chunked.answer);
  CHECK(chunked.answer->rest == "busy");
  const Exchange cut = shake("HTTP/1.1 400 Bad Request\r\n\r\n" + std::string(5000, 'x'), 0);
  REQUIRE(cut.answer);
  CHECK(cut.answer->rest == std::string(1024, 'x'));
}

TEST_CASE("an answer that does not say clearly where it ends is none") {
  for (const std::string length : {"+4", "-4", "4 4", "4x", "", "18446744073709551616", "4\r\nContent-Length: 5"}) {
    CAPTURE(length);
    const Exchange done = shake("HTTP/1.1 503 Service Unavailable\r\nContent-Length: " + length + "\r\n\r\nbusy", 0);
    REQUIRE_FALSE(done.answer);
    CHECK(done.answer.error().kind == ErrorKind::protocol);
    CHECK(done.answer.error().cause == "malformed HTTP response");
  }
}
