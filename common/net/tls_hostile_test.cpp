// Somebody stands between client and server: records come in pieces, are cut off, or are not what was sent.
#include <doctest/doctest.h>

#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <optional>

#include "common/net/test_support.h"
#include "common/net/tls_test_support.h"

using namespace usbloop;
using namespace usbloop::net;
using namespace usbloop::net::test;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator&&;

namespace {

constexpr std::size_t kPlain = 16 * 1024;     // RFC 8446, 5.1
constexpr std::size_t kRecord = kPlain + 22;  // its head, the type of its content, and AES-GCM's tag

/// What happens to the client's bytes behind the handshake.
struct Tampering {
  std::size_t piece = 64 * 1024;  ///< passed on at most at once
  std::size_t cut_at = SIZE_MAX;  ///< the stream ends here
  std::size_t wrong_at = SIZE_MAX;
};

class Tampered {
 public:
  explicit Tampered(const Tampering& tampering) : tampering_(tampering) {
    std::tie(server_end_, server_line_) = stream_pair(loop_);
    std::tie(client_end_, client_line_) = stream_pair(loop_);
    asio::co_spawn(loop_, pass_on(*client_line_, *server_line_, true), asio::detached);
    asio::co_spawn(loop_, pass_on(*server_line_, *client_line_, false), asio::detached);
    std::tie(server_, client_) = test::run(loop_, shake_hands());
    behind_handshake_ = true;
  }

  /// What the server reads of the data until its stream ends or fails.
  std::vector<std::byte> received(const std::vector<std::byte>& data) {
    REQUIRE(server_.has_value());
    REQUIRE(client_.has_value());
    return test::run(loop_, carry(data));
  }

 private:
  using Ends = std::tuple<Result<StreamPtr>, Result<StreamPtr>>;
  asio::awaitable<Ends> shake_hands() {
    co_return co_await (tls_accept(server_context_, std::move(server_end_), 5s) &&
                        tls_connect(client_context_, std::move(client_end_), "localhost", 5s));
  }

  asio::awaitable<std::vector<std::byte>> carry(const std::vector<std::byte>& data) {
    auto [sent, got] = co_await (send(data) && receive());
    co_return got;
  }

  asio::awaitable<std::vector<std::byte>> receive() {
    auto got = co_await read_to_end(**server_);
    (*server_)->close();  // after a failure the client may still be sending
    co_return got;
  }

  asio::awaitable<bool> send(const std::vector<std::byte>& data) {
    Result<> sent;
    for (std::size_t at = 0; at < data.size() && sent; at += kPlain) {  // a record each
      const auto record = std::span(data).subspan(at, std::min(kPlain, data.size() - at));
      sent = co_await (*client_)->write_all(record);
    }
    (*client_)->shutdown_write();
    co_return sent.has_value();
  }

  asio::awaitable<void> pass_on(Stream& from, Stream& to, bool tampering) {
    std::vector<std::byte> buffer(tampering_.piece);
    std::size_t passed = 0;
    while (true) {
      const auto got = co_await from.read_some(buffer);
      std::size_t count = got ? *got : 0;
      if (tampering && behind_handshake_) {
        if (tampering_.wrong_at - passed < count) buffer[tampering_.wrong_at - passed] ^= std::byte{0x55};
        count = std::min(count, tampering_.cut_at - passed);
        passed += count;
      }
      if (count == 0) break;
      const auto put = co_await to.write_all(std::span(buffer).first(count));
      if (!put) break;
    }
    to.close();
    from.close();
  }

  const Tampering tampering_;
  const TlsContext server_context_ = server_context();
  const TlsContext client_context_ = TlsContext::client(localhost().certificate, true).value();
  asio::io_context loop_;
  StreamPtr server_end_, server_line_, client_end_, client_line_;
  Result<StreamPtr> server_, client_;
  bool behind_handshake_ = false;
};

}  // namespace

TEST_CASE("records in pieces of any size are put together") {
  const auto data = random_bytes(3 * kPlain + 100);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, kRecord - 1, kRecord, kRecord + 1}) {
    CAPTURE(piece);
    CHECK((Tampered({.piece = piece}).received(data) == data));
  }
}

TEST_CASE("of a stream that is cut anywhere, or has a wrong byte, the whole records before that arrive and no more") {
  const auto data = random_bytes(20 * kPlain);  // more than is received at once
  for (const std::size_t record : {0U, 1U, 15U, 16U, 19U}) {
    for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{5}, kRecord - 1}) {
      const std::size_t at = record * kRecord + offset;
      CAPTURE(at);
      const std::vector<std::byte> whole(data.begin(), data.begin() + std::ptrdiff_t(record * kPlain));
      CHECK((Tampered({.cut_at = at}).received(data) == whole));
      CHECK((Tampered({.wrong_at = at}).received(data) == whole));
    }
  }
}
