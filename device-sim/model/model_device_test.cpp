#include "device-sim/model/model_device.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "common/test_wait.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/kinds.h"
#include "device-sim/model/model_test_hello.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using nlohmann::json;
using usbloop::testing::comes_true;
using usbloop::testing::contains;
using usbredir::HostState;

namespace {

/// The program at the other end of the socket.
class Program {
 public:
  Program() : path_((dir_.path / "model.sock").string()) {
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path_.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
  }

  /// Makes the device, to which `hello` is said.
  Result<std::unique_ptr<Device>> device(const std::string& hello) {
    std::jthread greeter([&] { greet(hello); });
    return make_device({"model", {{"socket", path_}}});
  }
  void greet(const std::string& hello) {
    connection_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    say(hello);
  }

  void say(const std::string& line) const {
    const std::string bytes = line + "\n";
    CHECK(::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  void say(const json& answer) const { say(answer.dump()); }

  /// The next line of another kind than `reset`, which comes at each attach.
  json heard() {
    while (true) {
      const auto end = input_.find('\n');
      if (end != std::string::npos) {
        json line = json::parse(input_.substr(0, end));
        input_.erase(0, end + 1);
        if (!line.contains("reset")) return line;
        continue;
      }
      char block[4096];
      const ssize_t got = ::recv(connection_.get(), block, sizeof block, 0);
      REQUIRE(got > 0);
      input_.append(block, static_cast<std::size_t>(got));
    }
  }
  void hang_up() { connection_.reset(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  testing::TempDir dir_;
  std::string path_;
  Fd listener_, connection_;
  std::string input_;
};

struct ModelRig : device_sim::test::DeviceRig {
  ModelRig() {
    auto made = program.device(device_sim::test::kModelHello);
    REQUIRE_MESSAGE(made, made.error().message());
    plug(std::move(*made));
    configure();
  }
  void read(std::uint16_t size) {
    guest.parser.send(++id, usb_redir_bulk_packet_header{0x81, 0, size, 0, 0});
    exchange();
  }
  void write(const std::string& text) {
    guest.parser.send(++id, usb_redir_bulk_packet_header{0x02, 0, static_cast<std::uint16_t>(text.size()), 0, 0},
                      std::as_bytes(std::span(text)));
    exchange();
  }
  /// Waits for the answer to what was sent last.
  device_sim::test::Reply answered() {
    REQUIRE(comes_true([&] {
      host->look();
      exchange();
      return !guest.replies.empty() && guest.replies.back().id == id;
    }));
    return guest.replies.back();
  }
  Program program;
};

std::string text_of(const device_sim::test::Reply& reply) {
  return {reinterpret_cast<const char*>(reply.data.data()), reply.data.size()};
}

}  // namespace

TEST_CASE("a model's device is asked what the guest asks, and answers when the program does") {
  ModelRig rig;
  rig.read(64);
  CHECK(rig.guest.replies.empty());
  const json in = rig.program.heard();
  CHECK(in.at("in") == json{{"endpoint", 0x81}, {"length", 64}});
  rig.program.say({{"id", in.at("id")}, {"data", "6869"}});
  CHECK(text_of(rig.answered()) == "hi");

  rig.write("out");
  const json out = rig.program.heard();
  CHECK(out.at("out") == json{{"endpoint", 2}, {"data", "6f7574"}});
  rig.program.say({{"id", out.at("id")}});
  const auto taken = rig.answered();
  CHECK(int{taken.status} == usb_redir_success);
  CHECK(taken.length == 3);

  rig.guest.parser.send(++rig.id, usb_redir_control_packet_header{0x80, 1, 0xc0, 0, 2, 3, 4});
  rig.exchange();
  const json control = rig.program.heard();
  CHECK(control.at("control").at("request_type") == 0xc0);
  CHECK(control.at("control").at("length") == 4);
  rig.program.say({{"id", control.at("id")}, {"data", "01020304"}});
  CHECK(rig.answered().data.size() == 4);
}

TEST_CASE("a stall of a model halts the endpoint, and other errors end the transfer") {
  ModelRig rig;
  for (const auto& [word, status] : {std::pair("timeout", usb_redir_timeout), std::pair("io_error", usb_redir_ioerror),
                                     std::pair("stall", usb_redir_stall)}) {
    rig.read(8);
    rig.program.say({{"id", rig.program.heard().at("id")}, {"status", word}});
    CHECK(int{rig.answered().status} == status);
  }
  rig.control_out(0x02, 1, 0, 0x81);  // CLEAR_FEATURE(ENDPOINT_HALT)
  CHECK(rig.program.heard().at("clear_halt").at("endpoint") == 0x81);
}

TEST_CASE("what a model answers beyond the room is for the next who asks") {
  ModelRig rig;
  rig.read(2);
  rig.program.say({{"id", rig.program.heard().at("id")}, {"data", "616263"}});
  CHECK(text_of(rig.answered()) == "ab");
  rig.read(64);
  CHECK(text_of(rig.answered()) == "c");
}

TEST_CASE("a transfer that the guest gives up is forgotten, but not what the device has to say") {
  ModelRig rig;
  rig.write("first");
  const json first = rig.program.heard();
  rig.guest.parser.send_cancel_data_packet(rig.id);
  rig.exchange();
  rig.write("second");
  const json second = rig.program.heard();
  CHECK(second.at("out").at("data") == "7365636f6e64");
  rig.program.say({{"id", first.at("id")}, {"status", "stall"}});
  rig.program.say({{"id", second.at("id")}});
  CHECK(int{rig.answered().status} == usb_redir_success);

  rig.read(64);
  const json in = rig.program.heard();
  rig.guest.parser.send_cancel_data_packet(rig.id);
  rig.exchange();
  rig.program.say({{"id", in.at("id")}, {"data", "6b657074"}});
  rig.read(64);
  CHECK(text_of(rig.answered()) == "kept");

  rig.guest.parser.send(++rig.id, usb_redir_control_packet_header{0x80, 1, 0xc0, 0, 0, 0, 4});
  rig.exchange();
  const json control = rig.program.heard();
  rig.guest.parser.send_cancel_data_packet(rig.id);
  rig.guest.parser.send(++rig.id, usb_redir_control_packet_header{0x80, 2, 0xc0, 0, 0, 0, 4});
  rig.exchange();
  const json next = rig.program.heard();
  CHECK(next.at("control").at("request") == 2);
  rig.program.say({{"id", control.at("id")}, {"data", "01"}});
  rig.program.say({{"id", next.at("id")}, {"data", "02"}});
  CHECK(rig.answered().data == std::vector{std::byte{2}});
}

TEST_CASE("a model that ends, or says what makes no sense, takes its device away and says why") {
  ModelRig rig;
  const char* cause = nullptr;
  SUBCASE("it ends") {
    rig.program.hang_up();
    cause = "it has ended";
  }
  SUBCASE("it makes no sense") {
    rig.program.say(std::string("nonsense"));
    cause = "no JSON object";
  }
  REQUIRE(comes_true([&] {
    rig.host->look();
    return rig.host->state() == HostState::device_gone;
  }));
  CHECK_MESSAGE(contains(rig.host->outcome().error().cause, cause), rig.host->outcome().error().message());
}

TEST_CASE("a model that does not read is given up, and nothing waits for it without bounds") {
  Program program;
  auto device = program.device(device_sim::test::kModelHello);
  REQUIRE(device);
  // A guest that gives up its writes may always send the next one.
  const std::vector<std::byte> data(std::size_t{1} << 20);
  int writes = 0;
  for (; writes < 100 && !(*device)->gone(); ++writes) {
    CHECK_FALSE((*device)->out({0x02, 0}, data).done);
    (*device)->cancelled({0x02, 0});
  }
  CHECK(writes < 15);
  CHECK((*device)->trouble().value_or(Error{}).cause == "it does not read");
}

TEST_CASE("a device whose program came back is plugged in again") {
  Program program;
  auto device = program.device(device_sim::test::kModelHello);
  REQUIRE(device);
  program.hang_up();
  REQUIRE(comes_true([&] { return (*device)->gone(); }));
  {
    std::jthread greeter([&] { program.greet(device_sim::test::kModelHello); });
    (*device)->plug();
  }
  CHECK_FALSE((*device)->gone());
  program.hang_up();
  REQUIRE(comes_true([&] { return (*device)->gone(); }));
  std::string other = device_sim::test::kModelHello;
  other.replace(other.find("09120100"), 8, "09120200");
  std::jthread greeter([&] { program.greet(other); });
  (*device)->plug();
  CHECK(contains((*device)->trouble().value_or(Error{}).cause, "another device"));
}

TEST_CASE("a model that is not there, or is none, is refused") {
  CHECK(make_device({"model", {}}).error().kind == ErrorKind::invalid);
  CHECK(contains(make_device({"model", {{"socket", "/no/such/socket"}}}).error().hint, "Start the program"));
  CHECK(make_device({"model", {{"socket", std::string(200, 'x')}}}).error().kind == ErrorKind::invalid);
  Program silent;
  CHECK(make_device({"model", {{"socket", silent.path()}}}).error().kind == ErrorKind::timeout);
  Program strange;
  CHECK(contains(strange.device("{}").error().cause, "speed"));
}
