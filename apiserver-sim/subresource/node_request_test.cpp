#include "apiserver-sim/subresource/node_request.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "apiserver-sim/test_support.h"
#include "common/fd.h"

using namespace usbloop;
using namespace usbloop::apiserver;
using namespace std::chrono_literals;

namespace {

/// A node that gives one answer to one request, whatever it is, and closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer)
      : path_(directory_ / "node.sock"),
        listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path_);
    std::copy(path_.begin(), path_.end(), std::begin(address.sun_path));
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
    thread_.join();
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  Result<NodeReply> ask(const char* method = "PUT") {
    return ask_node({"node-a", path_}, {method, "/v1/pause", "{}"}, 10s);
  }

 private:
  void serve() {
    const Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer) return;
    std::string request;
    std::array<char, 4096> buffer{};
    while (!request.ends_with("\r\n\r\n{}")) {
      const auto got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    for (std::size_t sent = 0; sent < answer_.size();) {
      const auto count = ::send(peer.get(), answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }

  test::TemporaryDirectory directory_;
  const std::string path_;
  Fd listener_;
  const std::string answer_;
  std::thread thread_;
};

const std::string kFine = "HTTP/1.1 200 OK\r\n";

std::string failure_of(const std::string& answer) {
  OneAnswer node(answer);
  const auto reply = node.ask();
  REQUIRE_FALSE(reply);
  return reply.error().cause;
}

}  // namespace

TEST_CASE("a node's answer is read to its length, its last chunk or its end") {
  for (const std::string rest : {"Content-Length: 5\r\n\r\nhello", "\r\nhello",
                                 "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"}) {
    CAPTURE(rest);
    OneAnswer node(kFine + rest);
    const auto reply = node.ask();
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->status_text == "OK");
    CHECK(reply->body == "hello");
  }
}

TEST_CASE("a node's answer that is malformed, too long or cut is a failure in the words of Go's client") {
  CHECK(failure_of("SSH-2.0-OpenSSH\r\n\r\n") == "malformed HTTP response");
  CHECK(failure_of(kFine + "Content-Length : 5\r\n\r\nhello") == "malformed HTTP response");
  for (const std::string length : {"+5", "-5", "5 5", "five", "", "18446744073709551616"}) {
    CAPTURE(length);
    CHECK(failure_of(kFine + "Content-Length: " + length + "\r\n\r\nhello") == "malformed HTTP response");
  }
  CHECK(failure_of(kFine + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello") == "malformed HTTP response");
  CHECK(failure_of(kFine + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n") == "malformed HTTP response");
  CHECK(failure_of(kFine + "Content-Length: 6\r\n\r\nhello") == "unexpected EOF");
  CHECK(failure_of(kFine) == "EOF");
  CHECK(failure_of(kFine + "X: " + std::string(20'000, 'x')) == "malformed HTTP response");
}

TEST_CASE("a node's answer has at most 64 KiB to a wish and 1 MiB to a question, whatever says where it ends") {
  for (const auto& [method, most] : {std::pair{"PUT", std::size_t{65'536}}, std::pair{"GET", std::size_t{1'048'576}}}) {
    CAPTURE(method);
    const std::string fits(most, 'x');
    OneAnswer fine(kFine + "Content-Length: " + std::to_string(most) + "\r\n\r\n" + fits);
    CHECK(fine.ask(method)->body == fits);
    OneAnswer told(kFine + "Content-Length: " + std::to_string(most + 1) + "\r\n\r\n");
    CHECK(told.ask(method).error().cause == "the answer is too long");
    OneAnswer to_the_end(kFine + "\r\n" + fits + "x");
    CHECK(to_the_end.ask(method).error().cause == "the answer is too long");
    OneAnswer chunked(kFine + "Transfer-Encoding: chunked\r\n\r\n8000000\r\n" + fits + "x");
    CHECK(chunked.ask(method).error().cause == "the answer is too long");
  }
}
