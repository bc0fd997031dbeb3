// What a person can get wrong on the client's command line and in the files it names.
#include <doctest/doctest.h>

#include <regex>

#include "common/test_text.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/scene.h"
#include "e2e/harness/vmi.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

/// The client must end with the code and say `what` on standard error.
void check_refused(const ClientEnd& end, int code, const std::string& what) {
  INFO("standard error: ", end.err);
  CHECK(end.status.code == code);
  CHECK(contains(end.err, what));
  CHECK_FALSE(contains(end.err, "Redirecting"));
}

/// A loop without a node, a VMI that seems to run, and a good stick.
struct Desk : FakeNodeScene {
  Desk() { node.add_running_vmi("demo"); }
};

std::string replaced(const fs::path& file, const std::string& pattern, const std::string& with) {
  const std::string text = read_file(file);
  const std::regex expression(pattern);
  REQUIRE(std::regex_search(text, expression));
  return std::regex_replace(text, expression, with);
}

}  // namespace

TEST_CASE("wrong usage ends with exit code 2 and a word on what is wrong") {
  const CaseDir dir;
  CHECK(run_client(dir, "none", {}).status.code == 2);
  CHECK(run_client(dir, "one", {"0951:1666"}).status.code == 2);
  CHECK(run_client(dir, "three", {"0951:1666", "demo", "more"}).status.code == 2);
  CHECK(run_client(dir, "unknown", {"--no-such-option", "0951:1666", "demo"}).status.code == 2);
  const ClientEnd help = run_client(dir, "help", {"--help"});
  CHECK(help.status.code == 0);
  CHECK(contains(help.out, "--emulate"));
}

TEST_CASE("a malformed device selector is refused by name") {
  const CaseDir dir;
  int number = 0;
  for (const std::string selector : {"0951", "0951:", ":1666", "095x:1666", "09511:1666", "0951:16666", "0951:1666:1",
                                     "1-", "-2", "1-2-", "0x0951:0x1666", "one-two", "256-1", " "}) {
    CAPTURE(selector);
    check_refused(run_client(dir, "selector" + std::to_string(++number), {"--", selector, "demo"}), 2, selector);
  }
  CHECK(run_client(dir, "empty", {"", "demo"}).status.code == 2);
}

TEST_CASE("an empty VMI name is refused") {
  const Desk desk;
  const std::string config = desk.loop.kubeconfig();
  check_refused(run_client(desk.dir, "empty", {"--kubeconfig", config, "--emulate", desk.stick(), ""}), 2, "VMI");
  check_refused(run_client(desk.dir, "selector", {"--kubeconfig", config, "0951:1666", ""}), 2, "VMI");
}

TEST_CASE("a device that is not there is refused by its selector") {
  const Desk desk;
  const std::string config = desk.loop.kubeconfig();
  check_refused(run_client(desk.dir, "id", {"--kubeconfig", config, "dead:beef", "demo"}), 1, "dead:beef");
  check_refused(run_client(desk.dir, "place", {"--kubeconfig", config, "9-99", "demo"}), 1, "9-99");
}

TEST_CASE("a bad image or emulation is refused with its reason") {
  const Desk desk;
  const std::string config = desk.loop.kubeconfig();
  const fs::path odd = desk.dir.path() / "odd.img";
  const fs::path empty = desk.dir.path() / "empty.img";
  write_file(odd, std::string(1000, 'x'));
  write_file(empty, "");
  const auto attempt = [&](const std::string& name, const std::string& spec, const std::string& what, int code = 2) {
    CAPTURE(spec);
    const ClientEnd end = run_client(desk.dir, name, {"--kubeconfig", config, "--emulate", spec, "demo"});
    INFO("standard error: ", end.err);
    CHECK(end.status.code == code);
    CHECK(contains(end.err, what));
    CHECK_FALSE(contains(end.err, "Redirecting"));
  };
  attempt("missing", "stick,image=/nowhere/stick.img", "/nowhere/stick.img", 1);
  attempt("odd", "stick,image=" + odd.string(), odd.string(), 1);
  attempt("empty", "stick,image=" + empty.string(), empty.string(), 1);
  attempt("directory", "stick,image=" + desk.dir.path().string(), desk.dir.path().string(), 1);
  attempt("kind", "toaster,image=" + desk.image.string(), "toaster");
  attempt("no-image", "stick", "image");
  attempt("id", desk.stick() + ",id=zzzz:1666", "zzzz");
  attempt("speed", desk.stick() + ",speed=warp", "warp");
  attempt("setting", desk.stick() + ",colour=red", "colour");
}

TEST_CASE("a kubeconfig that is missing or broken is refused by its name") {
  const Desk desk;
  const fs::path file = desk.dir.path() / "broken.kubeconfig";
  const auto attempt = [&](const std::string& name, const std::vector<std::string>& options, const std::string& what) {
    std::vector<std::string> arguments = options;
    arguments.insert(arguments.end(), {"--emulate", desk.stick(), "demo"});
    check_refused(run_client(desk.dir, name, arguments), 1, what);
  };
  attempt("missing", {"--kubeconfig", "/nowhere/config"}, "/nowhere/config");
  int number = 0;
  for (const std::string text : {"", "{", "[1, 2]", "apiVersion: v1\nclusters: 5\n", "\x01\x02\xff",
                                 "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: []\n"}) {
    CAPTURE(text);
    write_file(file, text);
    attempt("text" + std::to_string(++number), {"--kubeconfig", file.string()}, "broken.kubeconfig");
  }
  attempt("context", {"--kubeconfig", desk.loop.kubeconfig(), "--context", "elsewhere"}, "elsewhere");
  attempt("nothing", {}, "kubeconfig");
}

TEST_CASE("a server that cannot be reached is refused by its address") {
  const Desk desk;
  const fs::path file = desk.dir.path() / "unreachable.kubeconfig";
  // No sane machine has a listener on port 1 of the loopback, so nothing is started for this.
  write_file(file, replaced(desk.loop.kubeconfig(), "https://127.0.0.1:[0-9]+", "https://127.0.0.1:1"));
  const Stopwatch watch;
  check_refused(run_client(desk.dir, "client", {"--kubeconfig", file, "--emulate", desk.stick(), "demo"}), 1,
                "127.0.0.1:1");
  CHECK(watch.elapsed() < 10s);
}

TEST_CASE("a certificate that the kubeconfig does not trust is refused") {
  const Desk desk;
  const Loop other(desk.dir, {.nodes = {}, .dir = "other"});
  const std::string theirs = read_file(other.kubeconfig());
  std::smatch authority;
  REQUIRE(std::regex_search(theirs, authority, std::regex("certificate-authority-data: *(\\S+)")));
  const fs::path file = desk.dir.path() / "distrusting.kubeconfig";
  write_file(file, replaced(desk.loop.kubeconfig(), "certificate-authority-data: *\\S+",
                            "certificate-authority-data: " + authority[1].str()));
  check_refused(run_client(desk.dir, "client", {"--kubeconfig", file, "--emulate", desk.stick(), "demo"}), 1,
                "certificate");
}

TEST_CASE("a token that the server refuses is reported as Unauthorized") {
  const Desk desk;
  const fs::path file = desk.dir.path() / "stranger.kubeconfig";
  write_file(file, replaced(desk.loop.kubeconfig(), "token: *\\S+", "token: stranger"));
  check_refused(run_client(desk.dir, "client", {"--kubeconfig", file, "--emulate", desk.stick(), "demo"}), 1,
                "Unauthorized");
}

TEST_CASE("KUBECONFIG and ~/.kube/config are used when no option names a file") {
  const Desk desk;
  const auto refused_by_server = [&](const std::string& name, std::map<std::string, std::string> env) {
    const ClientEnd end = run_client(desk.dir, name, {"--emulate", desk.stick(), "ghost"}, std::move(env));
    check_refused(end, 1, "Can't access VMI ghost: ");
  };
  refused_by_server("environment", {{"KUBECONFIG", desk.loop.kubeconfig().string()}});
  const fs::path home = desk.dir.subdir("person");
  fs::create_directories(home / ".kube");
  fs::copy_file(desk.loop.kubeconfig(), home / ".kube/config");
  refused_by_server("home", {{"HOME", home.string()}});
}
