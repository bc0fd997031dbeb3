#include "device-sim/serial/far_line.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <filesystem>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "common/test_wait.h"
#include "device-sim/kinds.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::comes_true;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

/// The guest's side of a line.
struct Near {
  explicit Near(Result<std::unique_ptr<FarEnd>> made) {
    REQUIRE_MESSAGE(made, made.error().message());
    line = std::move(*made);
    line->set_wake([this] { ++wakes; });
  }
  ~Near() { line->set_wake(nullptr); }

  void write(const std::string& text) const { REQUIRE(line->put(std::as_bytes(std::span(text))).done); }
  /// Reads until as many bytes have come.
  std::string read(std::size_t size) {
    std::string text;
    REQUIRE(comes_true([&] {
      std::string block(size - text.size(), '\0');
      text.append(block, 0, line->take(std::as_writable_bytes(std::span(block))));
      return text.size() == size;
    }));
    return text;
  }
  bool ends() const {
    return comes_true([&] { return !line->is_there(); });
  }

  std::unique_ptr<FarEnd> line;
  std::atomic<int> wakes = 0;
};

}  // namespace

TEST_CASE("a line to a command is its standard input and output, until it ends") {
  Near near(FarLine::command("read line; echo \"heard $line\""));
  near.write("you\n");
  CHECK(near.read(10) == "heard you\n");
  CHECK(near.ends());
  CHECK(near.wakes > 0);
  near.write("lost");  // nobody is there
}

TEST_CASE("a command is killed with its line") {
  testing::TempDir dir;
  const std::string pid_file = (dir.path / "pid").string();
  fs::path process;
  {
    Near near(FarLine::command("echo $$ > " + pid_file + "; echo ready; sleep 1000"));
    CHECK(near.read(6) == "ready\n");
    std::ifstream file(pid_file);
    std::string pid;
    file >> pid;
    process = "/proc/" + pid;
    CHECK(fs::exists(process));
  }
  CHECK_FALSE(fs::exists(process));
}

TEST_CASE("a line to a pseudoterminal has a name, is raw, and stays when programs come and go") {
  testing::TempDir dir;
  const fs::path link = dir.path / "tty";
  {
    Near near(FarLine::pseudoterminal(link.string()));
    for (int program = 0; program < 2; ++program) {
      const Fd terminal(::open(link.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
      REQUIRE(terminal);
      REQUIRE(::write(terminal.get(), "up\n", 3) == 3);
      CHECK(near.read(3) == "up\n");
      near.write("a\r\x03z");
      char got[4] = {};
      for (ssize_t at = 0; at < 4;) {
        const ssize_t part = ::read(terminal.get(), got + at, static_cast<std::size_t>(4 - at));
        REQUIRE(part > 0);
        at += part;
      }
      CHECK(std::memcmp(got, "a\r\x03z", 4) == 0);
    }
    CHECK(near.line->is_there());
    // The next one takes the place of a link that was left over.
    Near next(FarLine::pseudoterminal(link.string()));
  }
  CHECK_FALSE(fs::exists(fs::symlink_status(link)));
  std::ofstream(link) << "a file";
  CHECK(FarLine::pseudoterminal(link.string()).error().kind == ErrorKind::conflict);
}

TEST_CASE("a line to a socket passes more than it holds, and nothing waits without bounds") {
  testing::TempDir dir;
  const std::string path = (dir.path / "line.sock").string();
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  Near near(FarLine::connect("unix:" + path));
  Fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  REQUIRE(peer);

  // The peer does not read: at last the guest's writes wait. Then it reads, and all of them come.
  const std::string piece(16 * 1024, 'p');
  std::size_t written = 0;
  REQUIRE(comes_true([&] {
    const auto put = near.line->put(std::as_bytes(std::span(piece)));
    if (put.done) written += piece.size();
    return !put.done;
  }));
  CHECK(written < 4 << 20);
  near.wakes = 0;
  std::size_t read = 0;
  std::string block(piece.size(), '\0');
  while (read < written) {
    const ssize_t part = ::recv(peer.get(), block.data(), block.size(), 0);
    REQUIRE(part > 0);
    read += static_cast<std::size_t>(part);
  }
  CHECK(read == written);
  CHECK(comes_true([&] { return near.wakes > 0; }));

  // The guest does not read: at last the peer's writes wait.
  std::size_t sent = 0;
  for (ssize_t part = 0; part >= 0; sent += static_cast<std::size_t>(std::max<ssize_t>(part, 0))) {
    part = ::send(peer.get(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  CHECK(sent < 4 << 20);
  near.line->reset();
  CHECK(near.read(FarEnd::kMostWaiting) == std::string(FarEnd::kMostWaiting, 'p'));
  peer.reset();
  REQUIRE(comes_true([&] {
    near.line->clear();  // the guest hangs up
    return !near.line->is_there();
  }));
}

TEST_CASE("a line that leads nowhere is refused") {
  CHECK(FarLine::connect("nowhere").error().kind == ErrorKind::invalid);
  CHECK(FarLine::connect("unix:/no/such/socket").error().kind == ErrorKind::not_found);
  CHECK(contains(make_device({"serial", {{"to", "unix:/a"}, {"command", "cat"}}}).error().cause, "one other end"));
}
