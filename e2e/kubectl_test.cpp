// What kubectl shows its user, with the kubectl of each Debian release and any other at hand (kubectl/README.md).
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/loop.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"
#include "e2e/kubectl/dialogue.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// The programs that scripts/lib/fetch_kubectl fetched, and the one on PATH; or only the one that USBLOOP_KUBECTL
/// names.
std::vector<fs::path> programs() {
  if (const char* only = std::getenv("USBLOOP_KUBECTL")) return {only};
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(guest_dir().parent_path() / "kubectl", ignored)) {
    if (fs::exists(entry.path() / "kubectl")) found.push_back(entry.path() / "kubectl");
  }
  const char* path = std::getenv("PATH");
  std::istringstream dirs(path == nullptr ? "" : path);
  for (std::string dir; std::getline(dirs, dir, ':');) {
    if (!fs::exists(fs::path(dir) / "kubectl")) continue;
    found.push_back(fs::path(dir) / "kubectl");
    break;
  }
  return found;
}

/// A directory with a program "kubectl" in it that is the given one. No link: a program may look for its place.
fs::path bin_with(const CaseDir& dir, const fs::path& program) {
  const fs::path bin = dir.subdir("bin");
  std::ofstream(bin / "kubectl") << "#!/bin/sh\nexec '" << program.string() << "' \"$@\"\n";
  fs::permissions(bin / "kubectl", fs::perms::owner_all);
  return bin;
}

/// One kubectl with one server (empty: apiserver-sim), and what they say to each other.
class Desk {
 public:
  Desk(const fs::path& program, const fs::path& server)
      : loop_(dir_, {.nodes = {}, .apiserver = server}), bin_(bin_with(dir_, program)), work_(dir_.subdir("work")) {
    fs::copy(fs::path(USBLOOP_KUBECTL_CASES) / "files", work_, fs::copy_options::recursive);
    const Answer version = run("kubectl version --client -o json");
    minor_ = std::stoi(nlohmann::json::parse(version.out).at("clientVersion").at("minor").get<std::string>());
  }

  void play(const std::string& name) {
    for (const Step& step : read_dialogue(fs::path(USBLOOP_KUBECTL_CASES) / (name + ".case"), minor_)) {
      const Answer answer = run(step.command);
      INFO("kubectl 1.", minor_, ", ", name, ".case:", step.line, ": ", step.command, "\nexit code ", answer.code,
           ", standard output:\n", answer.out, "standard error:\n", answer.err);
      CHECK(answer.code == step.code);
      CHECK(matches(step.out, answer.out));
      CHECK(matches(step.err, answer.err));
    }
  }

 private:
  struct Answer {
    int code = 0;
    std::string out;
    std::string err;
  };

  Answer run(const std::string& command) {
    const char* path = std::getenv("PATH");
    const std::string name = "command-" + std::to_string(++commands_);
    Process process({.name = name,
                     .argv = {"sh", "-c", command},
                     .log_dir = dir_.subdir("commands"),
                     .env = {{"PATH", bin_.string() + ":" + (path == nullptr ? "" : path)},
                             {"HOME", dir_.subdir("home").string()},
                             {"KUBECONFIG", loop_.kubeconfig().string()},
                             {"NODE", (loop_.dir() / "apiserver/node.kubeconfig").string()}},
                     .cwd = work_});
    const ExitStatus status = process.wait_exit(60s);
    return {status.code, process.out(), process.err()};
  }

  CaseDir dir_;
  Loop loop_;
  fs::path bin_;
  fs::path work_;
  int minor_ = 0;
  int commands_ = 0;
};

void play_with_all(const std::string& name, const fs::path& server = {}) {
  const std::vector<fs::path> all = programs();
  if (all.empty()) {
    skip_case("no kubectl on PATH and none in " + (guest_dir().parent_path() / "kubectl").string() +
              " (scripts/lib/fetch_kubectl)");
  }
  for (const fs::path& program : all) Desk(program, server).play(name);
}

}  // namespace

TEST_CASE("kubectl: objects are made, changed and deleted") { play_with_all("objects"); }
TEST_CASE("kubectl: objects are shown in every form") { play_with_all("show"); }
TEST_CASE("kubectl: what is wrong is refused, in the words of a cluster") { play_with_all("refusals"); }
TEST_CASE("kubectl: changes are watched and waited for") { play_with_all("wait"); }
TEST_CASE("kubectl: what the server has, and what its fields mean") { play_with_all("discovery"); }
TEST_CASE("kubectl: who may do what") { play_with_all("auth"); }
TEST_CASE("kubectl: kinds that are only stored, and kinds that a user defines") { play_with_all("kinds"); }
TEST_CASE("kubectl: a kind that costs one schema file") { play_with_all("own_kind", USBLOOP_OWN_KIND_SERVER); }

TEST_CASE("what is expected of a command is matched line by line, with wildcards") {
  CHECK(matches({}, ""));
  CHECK(matches({"a   b"}, "a b\n"));
  CHECK(matches({"NAME *", "demo * Ready"}, "NAME   AGE   STATUS\ndemo   5s    Ready\n"));
  CHECK(matches({"a", "...", "z"}, "a\nb\nc\nz\n"));
  CHECK(matches({"a", "..."}, "a\n"));
  CHECK_FALSE(matches({"a", "...", "z"}, "a\nb\n"));
  CHECK_FALSE(matches({"a"}, "a\nb\n"));
  CHECK_FALSE(matches({"a*c"}, "ab\n"));
}
