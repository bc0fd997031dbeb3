// A node that is started before its API server, or with a kubeconfig that leads nowhere.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/fd.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;

namespace {

constexpr milliseconds kPatience = 60s;

void write_text(const std::filesystem::path& file, const std::string& text) {
  const auto next = file.string() + ".next";
  std::ofstream(next) << text;
  std::filesystem::rename(next, file);
}

/// The text with what stands behind `key` on its line replaced.
std::string with_value(std::string text, const std::string& key, const std::string& value) {
  const auto begin = text.find(key);
  REQUIRE(begin != std::string::npos);
  const auto end = text.find('\n', begin);
  return text.replace(begin, end - begin, key + " " + value);
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Listens on a port of the kernel's choice and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    REQUIRE(::bind(socket_.get(), address, size) == 0);
    REQUIRE(::listen(socket_.get(), 1) == 0);
    REQUIRE(::getsockname(socket_.get(), address, &size) == 0);
  }
  [[nodiscard]] int port() const { return ntohs(address_.sin_port); }
  void wait_connected(milliseconds timeout) const {
    pollfd caller{socket_.get(), POLLIN, 0};
    REQUIRE(::poll(&caller, 1, static_cast<int>(timeout.count())) == 1);
  }

 private:
  usbloop::Fd socket_;
  sockaddr_in address_{};
};

struct Bench {
  CaseDir dir;

  /// A launcher that will run no guest: it needs no real one.
  Process start_launcher(const std::filesystem::path& kubeconfig) const {
    const auto guest = dir.subdir("guest");
    for (const char* file : {"vmlinux", "initramfs.cpio.gz"}) std::ofstream(guest / file) << "none";
    return Process({.name = "launcher-sim",
                    .argv = {launcher_sim(), "--kubeconfig", kubeconfig, "--node-name", "node-a", "--run-dir",
                             dir.path() / "node-a", "--guest", guest, "--accel", "tcg"},
                    .log_dir = dir.path()});
  }

  /// It must become ready in the loop, and end in order.
  static void expect_ready(Process& launcher, const Loop& loop) {
    launcher.wait_out("launcher-sim ready: node node-a\n", kPatience);
    CHECK(loop.api().get("/api/v1/nodes/node-a").status == 200);
    CHECK(count_of(launcher.err(), "the API server is there") == 1);
    stop(launcher);
  }

  static void stop(Process& launcher) {
    launcher.signal(SIGTERM);
    const auto status = launcher.wait_exit(kPatience);
    INFO("standard error: ", launcher.err());
    CHECK(status.text() == ExitStatus{.code = 0}.text());
  }

  /// It must end by itself, with the reason on standard error and without having said that it waits.
  static void expect_refusal(Process& launcher, const std::string& reason) {
    const auto status = launcher.wait_exit(kPatience);
    INFO("standard error: ", launcher.err());
    CHECK(status.text() == ExitStatus{.code = 1}.text());
    CHECK(launcher.err().find(reason) != std::string::npos);
    CHECK(launcher.err().find("waiting") == std::string::npos);
  }
};

}  // namespace

TEST_CASE("a node that starts first waits for the kubeconfig and the API server, and says so once") {
  const Bench bench;
  Process launcher = bench.start_launcher(bench.dir.path() / "loop/apiserver/node.kubeconfig");
  launcher.wait_err("waiting for the API server: .*node.kubeconfig: no such file", kPatience);
  const Loop loop(bench.dir, {.nodes = {}});
  Bench::expect_ready(launcher, loop);
  CHECK(count_of(launcher.err(), "no such file") == 1);
}

TEST_CASE("a node waits for an API server that is away") {
  const Bench bench;
  Loop loop(bench.dir, {.nodes = {}});
  loop.stop_apiserver();
  Process launcher = bench.start_launcher(bench.dir.path() / "loop/apiserver/node.kubeconfig");
  launcher.wait_err("waiting for the API server: .*no connection", kPatience);
  loop.start_apiserver();
  Bench::expect_ready(launcher, loop);
}

TEST_CASE("a node that waits reads the kubeconfig anew") {
  const Bench bench;
  const Loop loop(bench.dir, {.nodes = {}});
  const auto right = read_file(bench.dir.path() / "loop/apiserver/node.kubeconfig");
  const auto kubeconfig = bench.dir.path() / "kubeconfig";
  // Port 1 of this machine: nobody listens there, and only root may.
  write_text(kubeconfig, with_value(right, "server:", "https://127.0.0.1:1"));
  Process launcher = bench.start_launcher(kubeconfig);
  launcher.wait_err("waiting for the API server: .*127.0.0.1:1: no connection", kPatience);
  write_text(kubeconfig, right);
  Bench::expect_ready(launcher, loop);
}

TEST_CASE("a node ends with an error when the API server is another one than the kubeconfig's") {
  const Bench bench;
  const Loop loop(bench.dir, {.nodes = {}});
  const Loop other(bench.dir, {.nodes = {}, .dir = "other"});
  const auto kubeconfig = bench.dir.path() / "kubeconfig";
  write_text(kubeconfig, with_value(read_file(bench.dir.path() / "other/apiserver/node.kubeconfig"),
                                    "server:", "https://127.0.0.1:" + std::to_string(loop.api().port())));
  Process launcher = bench.start_launcher(kubeconfig);
  Bench::expect_refusal(launcher, "the server's certificate is not signed by the authority of the kubeconfig");
}

TEST_CASE("a node ends with an error when the API server does not know its user, or lets it write no Node") {
  const Bench bench;
  const Loop loop(bench.dir, {.nodes = {}});
  const auto stranger = bench.dir.path() / "kubeconfig";
  write_text(stranger,
             with_value(read_file(bench.dir.path() / "loop/apiserver/node.kubeconfig"), "token:", "not-a-token"));
  Process unknown = bench.start_launcher(stranger);
  Bench::expect_refusal(unknown, "Unauthorized (401)");
  Process viewer = bench.start_launcher(bench.dir.path() / "loop/apiserver/view.kubeconfig");
  Bench::expect_refusal(viewer, "Forbidden (403)");
}

TEST_CASE("a node that waits ends when it is asked to, also while a server is silent") {
  const Bench bench;
  Process early = bench.start_launcher(bench.dir.path() / "nowhere");
  early.wait_err("waiting for the API server", kPatience);
  Bench::stop(early);

  const Loop loop(bench.dir, {.nodes = {}});
  const SilentServer silent;
  const auto kubeconfig = bench.dir.path() / "kubeconfig";
  write_text(kubeconfig, with_value(read_file(bench.dir.path() / "loop/apiserver/node.kubeconfig"),
                                    "server:", "https://127.0.0.1:" + std::to_string(silent.port())));
  Process launcher = bench.start_launcher(kubeconfig);
  silent.wait_connected(kPatience);
  Bench::stop(launcher);
}
