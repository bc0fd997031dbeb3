// The program device-sim with a real QEMU, which needs no guest to take a device.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/fd.h"
#include "common/temp_dir.h"
#include "common/test_text.h"
#include "usbredir/capture/reader.h"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using usbloop::Fd;
using usbloop::testing::contains;

struct ProgramDir : usbloop::testing::TempDir {
  [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream stream(path / name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
};

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience = 20s) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

/// A child process, killed and reaped in the end. Its standard error goes to a file.
class Child {
 public:
  Child(std::vector<std::string> arguments, const std::string& stderr_file,
        const std::vector<std::pair<std::string, std::string>>& environment = {}) {
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) return;
    const int log = ::open(stderr_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(log, STDERR_FILENO);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const { ::kill(pid_, number); }

  /// Its exit status; 128 and the signal's number when it was killed; -1 when it still runs after `patience`.
  int wait(std::chrono::milliseconds patience = 10s) {
    int status = 0;
    if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience)) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

/// QEMU with one usb-redir slot and no guest.
class Qemu {
 public:
  Qemu(const ProgramDir& dir, const std::string& slot, const std::string& redir_options = "",
       const std::string& controller = "qemu-xhci,p2=15,p3=15")
      : dir_(dir) {
    process_ = std::make_unique<Child>(
        std::vector<std::string>{"qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-m", "64", "-nodefaults",
                                 "-no-user-config", "-display", "none", "-qmp",
                                 "unix:" + dir.file("qmp.sock") + ",server=on,wait=off", "-device",
                                 controller + ",id=usb", "-chardev", "socket,id=slot," + slot, "-device",
                                 "usb-redir,chardev=slot,id=redir,bus=usb.0,port=1" + redir_options},
        dir.file("qemu.log"));
    REQUIRE_MESSAGE(eventually([&] { return connect(); }), dir.read("qemu.log"));
    command("qmp_capabilities");
  }

  [[nodiscard]] bool attached() {
    return command("qom-get", R"("arguments":{"path":"/machine/peripheral/redir","property":"attached"},)")
               .find("\"return\": true") != std::string::npos;
  }

 private:
  bool connect() {
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, dir_.file("qmp.sock").c_str(), sizeof address.sun_path - 1);
    return ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  /// The answer's line; events and the greeting are passed over.
  std::string command(const std::string& name, const std::string& arguments = "") {
    const std::string text = "{" + arguments + "\"execute\":\"" + name + "\"}\n";
    REQUIRE(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
    while (true) {
      const auto end = input_.find('\n');
      if (end != std::string::npos) {
        const std::string line = input_.substr(0, end);
        input_.erase(0, end + 1);
        if (line.find("\"return\"") != std::string::npos) return line;
        REQUIRE_MESSAGE(line.find("\"error\"") == std::string::npos, line);
        continue;
      }
      pollfd readable{socket_.get(), POLLIN, 0};
      REQUIRE(::poll(&readable, 1, 20000) == 1);
      char buffer[4096];
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      REQUIRE(got > 0);
      input_.append(buffer, static_cast<std::size_t>(got));
    }
  }

  const ProgramDir& dir_;
  std::unique_ptr<Child> process_;
  Fd socket_;
  std::string input_;
};

std::string make_image(const ProgramDir& dir) {
  const std::string path = dir.file("stick.img");
  std::ofstream(path).close();
  fs::resize_file(path, 1 << 20);
  return path;
}

const std::string kProgram = USBLOOP_DEVICE_SIM;

}  // namespace

TEST_CASE("QEMU takes the stick from a unix socket, and loses it by SIGTERM") {
  const ProgramDir dir;
  Qemu qemu(dir, "server=on,wait=off,path=" + dir.file("slot"));
  CHECK_FALSE(qemu.attached());
  Child device({kProgram, "--emulate", "stick,image=" + make_image(dir), "--to", "unix:" + dir.file("slot")},
               dir.file("device.log"));
  CHECK(eventually([&] { return qemu.attached(); }));
  device.signal(SIGTERM);
  CHECK(device.wait() == 0);
  CHECK(eventually([&] { return !qemu.attached(); }));
  CHECK(dir.read("device.log").empty());
}

TEST_CASE("what the machine asks of the stick is in the capture: its descriptor, and an end for each transfer") {
  const ProgramDir dir;
  Qemu qemu(dir, "server=on,wait=off,path=" + dir.file("slot"));
  Child device({kProgram, "--emulate", "stick,image=" + make_image(dir), "--to", "unix:" + dir.file("slot"),
                "--capture", dir.file("stick.pcapng")},
               dir.file("device.log"));
  // The machine's firmware looks for a disk to boot from.
  CHECK(eventually([&] { return contains(dir.read("stick.pcapng"), std::string("\x12\x01\x00\x02", 4)); }, 60s));
  device.signal(SIGTERM);
  CHECK(device.wait() == 0);
  std::ifstream in(dir.file("stick.pcapng"), std::ios::binary);
  usbloop::capture::CaptureReader reader(in);
  int open = 0;
  int seen = 0;
  for (auto record = reader.next(); record && *record; record = reader.next(), ++seen)
    open += (*record)->urb.event == usbloop::capture::Event::submit ? 1 : -1;
  CHECK(seen > 0);
  CHECK(open == 0);
  CHECK(dir.read("device.log").empty());
}

TEST_CASE("in the place of usbredirect the id is that of --device and the stick comes from the environment") {
  const ProgramDir dir;
  const std::string image = make_image(dir);
  fs::create_symlink(kProgram, dir.path / "usbredirect");
  Child device({dir.file("usbredirect"), "--device", "1234:5678", "--as", "127.0.0.1:0", "-v", "3"},
               dir.file("device.log"), {{"USBLOOP_EMULATE", "stick,image=" + image}});
  const std::string listening = "Listening on 127.0.0.1:";
  REQUIRE(eventually([&] {
    const std::string log = dir.read("device.log");
    return contains(log, listening) && contains(log, "\n");
  }));
  const std::string log = dir.read("device.log");
  const std::string port = log.substr(log.find(listening) + listening.size());
  Qemu qemu(dir, "host=127.0.0.1,port=" + port.substr(0, port.find('\n')));
  CHECK(eventually([&] { return qemu.attached(); }));
  CHECK(contains(dir.read("device.log"), "1234:5678"));
  device.signal(SIGINT);
  CHECK(device.wait() == 0);
}

TEST_CASE("a device that QEMU's filter refuses ends with status 1 and says why") {
  const ProgramDir dir;
  Qemu qemu(dir, "server=on,wait=off,path=" + dir.file("slot"), ",filter=0x08:-1:-1:-1:0|-1:-1:-1:-1:1");
  Child device({kProgram, "--emulate", "stick,image=" + make_image(dir), "--to", "unix:" + dir.file("slot")},
               dir.file("device.log"));
  CHECK(device.wait() == 1);
  CHECK(contains(dir.read("device.log"), "rejected the device"));
}

TEST_CASE("a device whose speed QEMU's controller has not is told as that, in QEMU's words and with the speed") {
  const ProgramDir dir;
  Qemu qemu(dir, "server=on,wait=off,path=" + dir.file("slot"), "", "usb-ehci");
  Child device({kProgram, "--emulate", "keyboard,speed=low", "--to", "unix:" + dir.file("slot")},
               dir.file("device.log"));
  CHECK(device.wait() == 1);
  CHECK_MESSAGE(contains(dir.read("qemu.log"), "speed mismatch"), dir.read("qemu.log"));
  const std::string log = dir.read("device.log");
  CHECK_MESSAGE(contains(log, "It has low speed (1.5 Mbit/s). Where QEMU's log says \"speed mismatch\""), log);
}

TEST_CASE("a device of a desk that nobody has connected to ends with its desk, and when it is pulled out") {
  const ProgramDir dir;
  std::ofstream(dir.path / "desk.yaml") << "devices:\n- kind: serial\n";
  for (const bool is_pulled_out : {false, true}) {
    CAPTURE(is_pulled_out);
    const std::string socket = dir.file(is_pulled_out ? "second" : "first");
    const std::string desk_file = dir.file("desk.yaml");
    Child desk({kProgram, "desk", "--socket", socket, desk_file}, dir.file("desk.log"));
    REQUIRE(eventually([&] { return fs::exists(socket); }));
    const std::string said = is_pulled_out ? "second.log" : "first.log";
    Child device({kProgram, "--desk", socket, "--device", "serial", "--as", "127.0.0.1:0"}, dir.file(said));
    REQUIRE(eventually([&] { return contains(dir.read(said), "Listening on"); }));
    if (is_pulled_out) {
      CHECK(Child({kProgram, "ctl", "--desk", socket, "unplug", "serial"}, dir.file("ctl.log")).wait() == 0);
    } else {
      desk.signal(SIGKILL);
    }
    CHECK(device.wait() == 1);
    const std::string log = dir.read(said);
    CHECK_MESSAGE(contains(log, is_pulled_out ? "the device is gone" : "it has ended"), log);
  }
}

TEST_CASE("QEMU's end is noticed at once, with status 1") {
  const ProgramDir dir;
  auto qemu = std::make_unique<Qemu>(dir, "server=on,wait=off,path=" + dir.file("slot"));
  Child device({kProgram, "--emulate", "stick,image=" + make_image(dir), "--to", "unix:" + dir.file("slot")},
               dir.file("device.log"));
  REQUIRE(eventually([&] { return qemu->attached(); }));
  qemu.reset();
  CHECK(device.wait(2s) == 1);
  CHECK(contains(dir.read("device.log"), "the guest side has ended the redirection"));
}

TEST_CASE("nobody at the address, a missing image and wrong usage have their own status") {
  const ProgramDir dir;
  const std::string image = make_image(dir);
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), kProgram);
    return Child(std::move(arguments), dir.file("device.log")).wait();
  };
  CHECK(run({"--emulate", "stick,image=" + image, "--to", "unix:" + dir.file("nobody")}) == 1);
  CHECK(contains(dir.read("device.log"), "cannot connect to"));
  CHECK(run({"--emulate", "stick,image=" + dir.file("none"), "--to", "unix:" + dir.file("nobody")}) == 1);
  CHECK(contains(dir.read("device.log"), "No such file"));
  CHECK(run({"--emulate", "stick", "--to", "unix:" + dir.file("nobody")}) == 2);
  CHECK(run({}) == 2);
}

TEST_CASE("a signal ends a device that nobody has connected to, and the socket's name is gone") {
  const ProgramDir dir;
  const std::string socket = dir.file("listen");
  Child device({kProgram, "--emulate", "stick,image=" + make_image(dir), "--as", "unix:" + socket},
               dir.file("device.log"));
  REQUIRE(eventually([&] { return fs::exists(socket); }));
  device.signal(SIGTERM);
  CHECK(device.wait() == 0);
  CHECK_FALSE(fs::exists(socket));
}
