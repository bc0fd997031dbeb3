// Other programs that speak usbredir for the client: --launch and --no-launch, with the API server and without a guest.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/raw_websocket.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

struct Desk : FakeNodeScene {
  Desk() { node.add_running_vmi("demo"); }

  Process start(const std::string& name, std::vector<std::string> arguments,
                std::map<std::string, std::string> env = {}) {
    arguments.insert(arguments.begin(), {"--kubeconfig", loop.kubeconfig()});
    return start_client(dir, name, std::move(arguments), std::move(env));
  }

  /// Our drop-in, as usbredirect is called.
  Process redirect_to(const std::string& address) {
    return Process({.name = "usbredirect",
                    .argv = {device_sim(), "--device", "0951:1666", "--to", address},
                    .log_dir = dir.path(),
                    .env = {{"USBLOOP_EMULATE", stick()}}});
  }

  /// A program of the test's own, by its shell script.
  [[nodiscard]] fs::path program(const std::string& name, const std::string& script) const {
    const fs::path path = dir.path() / name;
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
};

/// The guest's side hears of the device and reads its descriptor.
void check_device(RawWebsocket& far) {
  far.send({.payload = qemu_hello(), .masked = false});
  std::string stream;
  const Deadline deadline(10s);
  const auto is_announced = [&stream] {
    const auto packets = usbredir_packets(stream);
    return std::any_of(packets.begin(), packets.end(),
                       [](const auto& packet) { return packet.type == usbredir_device_connect; });
  };
  while (!is_announced()) stream += far.receive_payload(1, deadline.left());
  const auto packets = usbredir_packets(stream);
  CHECK(packets.back().body.substr(4, 4) == "\x51\x09\x66\x16");
  far.send({.payload = get_device_descriptor(7), .masked = false});
  const std::string answer = far.receive_payload(16 + 10 + 18, 10s);
  CHECK(answer.substr(16 + 10, 2) == "\x12\x01");
}

constexpr const char* kLine = "^User can connect usbredir client at: (127\\.0\\.0\\.1:[1-9][0-9]*)\n";

}  // namespace

TEST_CASE("--no-launch prints virtctl's line, serves one program and ends with it") {
  Desk desk;
  Process client = desk.start("client", {"--no-launch", "demo"});
  RawWebsocket far = desk.node.accept_websocket();
  const std::string address = client.wait_out(kLine, 10s);
  Process program = desk.redirect_to(address);
  check_device(far);
  client.wait_err("Redirecting its device to VMI default/demo by the program that has connected", 10s);
  program.signal(SIGTERM);
  CHECK(program.wait_exit(10s).code == 0);
  CHECK(client.wait_exit(10s).code == 1);
  CHECK_MESSAGE(contains(client.err(), "the program has closed its connection"), client.err());
  CHECK(close_code(*far.receive_close(5s)) == 1000);
}

TEST_CASE("--no-launch on a unix socket, and Ctrl-C with nobody there and with a program") {
  Desk desk;
  for (const bool has_program : {false, true}) {
    CAPTURE(has_program);
    const fs::path socket = desk.dir.path() / "slot.sock";
    Process client =
        desk.start("client-" + std::to_string(has_program), {"--no-launch=unix:" + socket.string(), "demo"});
    RawWebsocket far = desk.node.accept_websocket();
    client.wait_out("at: unix:" + socket.string(), 10s);
    struct stat status {};
    REQUIRE(::stat(socket.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    std::optional<Process> program;
    if (has_program) {
      program.emplace(desk.redirect_to("unix:" + socket.string()));
      check_device(far);
    }
    client.signal(SIGINT);
    CHECK(client.wait_exit(10s).code == 0);
    CHECK_FALSE(fs::exists(socket));
    if (program) CHECK(program->wait_exit(10s).code == 1);
  }
}

TEST_CASE("a VMI that is not there is told before an address is printed") {
  Desk desk;
  Process client = desk.start("client", {"--no-launch", "nobody"});
  CHECK(client.wait_exit(10s).code == 1);
  CHECK(client.out().empty());
  CHECK_MESSAGE(contains(client.err(), "Can't access VMI nobody"), client.err());
}

TEST_CASE("the far end goes while a program is waited for") {
  Desk desk;
  Process client = desk.start("client", {"--no-launch", "demo"});
  {
    RawWebsocket far = desk.node.accept_websocket();
    client.wait_out(kLine, 10s);
  }
  CHECK(client.wait_exit(15s).code == 1);
  CHECK_MESSAGE(contains(client.err(), "ended"), client.err());

  // Ctrl-C while the reason is looked up: the session has been lost all the same.
  Process stopped = desk.start("stopped", {"--no-launch", "demo"});
  const auto questions = [&] {
    const std::string log = desk.loop.apiserver().err();
    const std::string asked = "GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/demo";
    std::size_t count = 0;
    for (auto at = log.find(asked); at != std::string::npos; at = log.find(asked, at + 1)) ++count;
    return count;
  };
  std::size_t before = 0;
  {
    RawWebsocket far = desk.node.accept_websocket();
    stopped.wait_out(kLine, 10s);
    before = questions();
  }
  wait_until("the VMI to be asked for", 10s, [&] { return questions() > before; });
  stopped.signal(SIGINT);
  CHECK(stopped.wait_exit(10s).code == 1);
}

TEST_CASE("--launch starts usbredirect as virtctl does, and our drop-in bears that name") {
  Desk desk;
  const fs::path bin = desk.dir.path() / "bin";
  fs::create_directory(bin);
  fs::create_symlink(device_sim(), bin / "usbredirect");
  for (const bool as_virtctl : {false, true}) {
    CAPTURE(as_virtctl);
    std::map<std::string, std::string> env = {{"PATH", bin.string()},
                                              {"USBLOOP_EMULATE", "stick,image=" + desk.image.string()}};
    fs::path client_path = kubectl_usbredir();
    std::vector<std::string> argv = {"--launch", "951:1666", "demo", "--kubeconfig", desk.loop.kubeconfig()};
    if (as_virtctl) {
      client_path = bin / "virtctl";
      fs::create_symlink(kubectl_usbredir(), client_path);
      argv.insert(argv.begin(), "usbredir");
    }
    argv.insert(argv.begin(), client_path);
    env["HOME"] = desk.dir.path().string();
    Process client({.name = as_virtctl ? "virtctl" : "client", .argv = argv, .log_dir = desk.dir.path(), .env = env});
    RawWebsocket far = desk.node.accept_websocket();
    check_device(far);
    client.wait_err("Redirecting 0951:1666 to VMI default/demo by usbredirect", 10s);
    client.signal(SIGINT);
    CHECK(client.wait_exit(10s).code == 0);
  }
}

TEST_CASE("the program's arguments are virtctl's") {
  Desk desk;
  const fs::path program = desk.program("redirect", "echo \"$#:$*:\"");
  Process client = desk.start("client", {"--launch=" + program.string(), "01-03", "demo"});
  RawWebsocket far = desk.node.accept_websocket();
  client.wait_err("redirect: 4:--device 1-3 --to 127\\.0\\.0\\.1:[1-9][0-9]*:\n", 10s);
  CHECK(client.wait_exit(10s).code == 1);
}

TEST_CASE("a program that is missing is told before a server is asked") {
  Desk desk;
  for (const char* program : {"no-such-program", "/nowhere/usbredirect"}) {
    Process client = desk.start("client", {"--launch=" + std::string(program), "0951:1666", "demo", "-v"});
    CHECK(client.wait_exit(10s).code == 1);
    CHECK_MESSAGE(contains(client.err(), "cannot start " + std::string(program)), client.err());
    CHECK_MESSAGE(contains(client.err(), "package usbredirect"), client.err());
    CHECK_FALSE(contains(client.err(), "asking"));
  }
}

TEST_CASE("a program that fails is an error with its own words, which steer no terminal") {
  Desk desk;
  struct Case {
    const char* script;
    std::string expected;
  };
  for (const Case& attempt :
       {Case{"echo 'no luck' >&2; exit 7", "it has ended (exit code 7) before it connected to us"},
        Case{"exit 0", "it has ended (exit code 0) before it connected to us"},
        Case{"kill -9 $$", "it has ended (signal 9"}}) {
    CAPTURE(attempt.script);
    const fs::path program = desk.program("redirect", attempt.script);
    Process client = desk.start("client", {"--launch=" + program.string(), "0951:1666", "demo"});
    RawWebsocket far = desk.node.accept_websocket();
    CHECK(client.wait_exit(10s).code == 1);
    CHECK_MESSAGE(contains(client.err(), attempt.expected), client.err());
    if (contains(attempt.script, "no luck")) CHECK(contains(client.err(), "redirect: no luck\n"));
  }
  const fs::path program =
      desk.program("redirect", "printf 'bad \\033[2J\\r\\233words\\n'; head -c 100000 /dev/zero | tr '\\0' x; exit 1");
  Process client = desk.start("client", {"--launch=" + program.string(), "0951:1666", "demo"});
  RawWebsocket far = desk.node.accept_websocket();
  CHECK(client.wait_exit(10s).code == 1);
  const std::string err = client.err();
  CHECK(contains(err, "redirect: bad "));
  CHECK(err.find_first_of("\033\r\233") == std::string::npos);
  CHECK(err.size() < 5000);
}

TEST_CASE("Ctrl-C ends a program that does not connect, even one that ignores SIGTERM") {
  Desk desk;
  const fs::path program = desk.program("redirect", "trap '' TERM; echo ready $$; while :; do sleep 1; done");
  Process client = desk.start("client", {"--launch=" + program.string(), "0951:1666", "demo"});
  RawWebsocket far = desk.node.accept_websocket();
  const std::string pid = client.wait_err("redirect: ready ([0-9]+)", 10s);
  client.signal(SIGINT);
  CHECK(client.wait_exit(10s).code == 0);
  CHECK_FALSE(fs::exists("/proc/" + pid));
}

TEST_CASE("Debian's usbredirect ends with 0 when it finds no device, and the client says so with 1") {
  if (!on_path("usbredirect")) {
    skip_case("usbredirect is not installed (package usbredirect)");
    return;
  }
  Desk desk;
  Process client = desk.start("client", {"--launch", "dead:beef", "demo"});
  RawWebsocket far = desk.node.accept_websocket();
  CHECK(client.wait_exit(20s).code == 1);
  CHECK_MESSAGE(contains(client.err(), "usbredirect: "), client.err());
  CHECK_MESSAGE(contains(client.err(), "before it connected to us"), client.err());
}
