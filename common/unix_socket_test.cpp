#include "common/unix_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <optional>

#include "common/temp_dir.h"

using namespace usbloop;

namespace {

namespace fs = std::filesystem;

/// A folder whose path alone is longer than an address, and a listener in it.
class LongPlace {
 public:
  LongPlace() { fs::create_directory(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// bind(2) has the same limit: by way of the working directory.
  [[nodiscard]] Fd listen(const std::string& name, int backlog) const {
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    const fs::path before = fs::current_path();
    fs::current_path(folder_);
    const int bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    fs::current_path(before);
    REQUIRE(bound == 0);
    REQUIRE(::listen(listener.get(), backlog) == 0);
    return listener;
  }

 private:
  usbloop::testing::TempDir root_;
  fs::path folder_ = root_.path / std::string(120, 'd');
};

std::optional<ErrorKind> failure(const std::string& path, int flags = 0) {
  const auto socket = connect_unix_socket(path, flags);
  return socket ? std::nullopt : std::optional(socket.error().kind);
}

}  // namespace

TEST_CASE("unix sockets: a path that no address holds is reached, and bytes pass") {
  const LongPlace place;
  const Fd listener = place.listen("socket", 1);
  const auto socket = connect_unix_socket(place.path("socket"));
  REQUIRE_MESSAGE(socket.has_value(), socket.error().message());
  const Fd peer(::accept(listener.get(), nullptr, nullptr));
  REQUIRE(::send(socket->get(), "x", 1, 0) == 1);
  char got = 0;
  REQUIRE(::recv(peer.get(), &got, 1, 0) == 1);
  CHECK(got == 'x');
  CHECK((::fcntl(socket->get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("unix sockets: what fails says what the caller can do about it") {
  const LongPlace place;
  CHECK(failure(place.path("nobody")) == ErrorKind::not_found);
  CHECK(failure("/no/such/folder/" + std::string(120, 's')) == ErrorKind::not_found);
  CHECK(failure(place.path(std::string(120, 's'))) == ErrorKind::invalid);
  CHECK(failure(std::string(120, 's')) == ErrorKind::invalid);
  { const Fd ended = place.listen("ended", 1); }
  CHECK(failure(place.path("ended")) == ErrorKind::unavailable);
}

TEST_CASE("unix sockets: a listener whose queue is full keeps no one waiting who does not want to wait") {
  const LongPlace place;
  const Fd listener = place.listen("busy", 0);
  const auto first = connect_unix_socket(place.path("busy"), SOCK_NONBLOCK);
  REQUIRE(first.has_value());
  CHECK((::fcntl(first->get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK(failure(place.path("busy"), SOCK_NONBLOCK) == ErrorKind::conflict);
}
