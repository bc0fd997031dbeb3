// The launcher's side of the talk with a copy of a template; the guest's side is in guest/root/lib/usbloop/clone.
#include "launcher-sim/introduction.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "common/fd.h"
#include "common/kube/uuid.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/test_directory.h"
#include "launcher-sim/vmi_spec.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;

namespace {

/// Listens where QEMU has the console, and plays a guest whose answers take the times (the last one again and again).
class PlayedGuest {
 public:
  PlayedGuest(const test::TestDirectory& directory, std::vector<std::chrono::milliseconds> delays,
              std::string status = "0")
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        delays_(std::move(delays)),
        status_(std::move(status)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (directory / kSerialSocket).copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    thread_ = std::thread([this] { play(); });
  }
  /// What it was told, when the launcher has closed the console.
  const std::vector<std::string>& told() {
    thread_.join();
    return told_;
  }

 private:
  void play() {
    const Fd console(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string line;
    for (char byte = 0; ::recv(console.get(), &byte, 1, 0) == 1;) {
      if (byte != '\n') {
        line += byte;
        continue;
      }
      told_.push_back(std::exchange(line, ""));
      if (!told_.back().starts_with("renew ")) continue;
      std::this_thread::sleep_for(delays_.front());  // a guest on a busy machine
      if (delays_.size() > 1) delays_.erase(delays_.begin());
      const std::string answer = "something else\r\nusbloop-guest: renewed " + status_ + "\r\n";
      ::send(console.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  Fd listener_;
  std::vector<std::chrono::milliseconds> delays_;
  std::string status_;
  std::vector<std::string> told_;
  std::thread thread_;
};

Result<> introduce_to(const test::TestDirectory& directory, const std::string& parameters = "console=ttyS0 hostname=a",
                      std::chrono::milliseconds timeout = 10s, const std::stop_token& stop = {}) {
  auto console = ConsoleLines::connect(directory.path());
  REQUIRE(console);
  return introduce(*console, {parameters, "0e4b039f-eaea-4be4-8c97-93f935dd51b6"}, timeout, stop);
}

}  // namespace

TEST_CASE("a copy is told who it is, then the time, then to go") {
  const test::TestDirectory directory;
  PlayedGuest guest(directory, {0ms});
  CHECK(introduce_to(directory));
  const auto& told = guest.told();
  REQUIRE(told.size() >= 4);
  CHECK(told[0] == "parameters console=ttyS0 hostname=a");
  CHECK(told[1] == "boot_id 0e4b039f-eaea-4be4-8c97-93f935dd51b6");
  CHECK(told[2].starts_with("renew \\x"));
  CHECK(told.back() == "go");
}

TEST_CASE("a clock that was not set in time is set again") {
  const test::TestDirectory directory;
  PlayedGuest guest(directory, {150ms, 120ms, 0ms});
  CHECK(introduce_to(directory));
  CHECK(guest.told().size() >= 6);  // three times at least
}

TEST_CASE("a copy that cannot do it, or does not answer, is no guest") {
  const test::TestDirectory directory;
  SUBCASE("it cannot") {
    PlayedGuest guest(directory, {0ms}, "1");
    CHECK(introduce_to(directory).error().kind == ErrorKind::protocol);
    CHECK(guest.told().back() != "go");
  }
  SUBCASE("it does not answer") {
    PlayedGuest guest(directory, {300ms});
    CHECK(introduce_to(directory, "console=ttyS0", 50ms).error().kind == ErrorKind::timeout);
    CHECK(guest.told().back() != "go");
  }
  SUBCASE("we are to stop") {
    std::stop_source stopping;
    stopping.request_stop();
    PlayedGuest guest(directory, {0ms});
    CHECK(introduce_to(directory, "console=ttyS0", 10s, stopping.get_token()).error().kind == ErrorKind::cancelled);
    guest.told();
  }
  SUBCASE("its parameters are no line") {
    PlayedGuest guest(directory, {0ms});
    CHECK(introduce_to(directory, "console=ttyS0\ngo").error().kind == ErrorKind::invalid);
    CHECK(guest.told().empty());
  }
  SUBCASE("its parameters are too long for a terminal's line") {
    PlayedGuest guest(directory, {0ms});
    CHECK(introduce_to(directory, std::string(5000, 'a')).error().kind == ErrorKind::invalid);
    CHECK(guest.told().empty());
  }
}

TEST_CASE("the line that renews a guest is a timespec and a rand_pool_info, byte by byte") {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = 0xab;
  seed[31] = 0x01;
  const std::string line = renew_line(std::chrono::seconds(0x0102030405) + 7ns, seed);
  std::string zeros;
  for (int i = 0; i < 30; ++i) zeros += "\\x00";
  CHECK(line ==
        "renew \\x05\\x04\\x03\\x02\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
        "\\x00\\x01\\x00\\x00\\x20\\x00\\x00\\x00\\xab" +
            zeros + "\\x01");
}

TEST_CASE("random UUIDs are UUIDs of version 4, and differ") {
  std::set<std::string> all;
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = usbloop::kube::random_uuid();
    CHECK(is_uuid(uuid));
    CHECK(uuid[14] == '4');
    CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
    all.insert(uuid);
  }
  CHECK(all.size() == 100);
}
