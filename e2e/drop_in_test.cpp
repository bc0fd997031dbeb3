// device-sim in the place of usbredirect: its command line beside that of Debian's usbredirect.
#include <doctest/doctest.h>

#include <regex>

#include "common/test_text.h"
#include "e2e/harness/case_dir.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
using usbloop::testing::contains;

namespace {

class BothPrograms {
 public:
  struct End {
    int status = 0;
    std::string text;
  };
  End debian(const std::vector<std::string>& arguments) { return run("usbredirect", arguments, {}); }
  End ours(const std::vector<std::string>& arguments) {
    return run(device_sim(), arguments, {{"USBLOOP_EMULATE", "serial"}});
  }

 private:
  End run(const std::string& program, std::vector<std::string> argv, const std::map<std::string, std::string>& env) {
    argv.insert(argv.begin(), program);
    Process process({.name = "run" + std::to_string(++runs_), .argv = argv, .log_dir = dir_.path(), .env = env});
    const int status = process.wait_exit(20s).code;
    return {status, process.output()};
  }

  const CaseDir dir_;
  int runs_ = 0;
};

}  // namespace

TEST_CASE("what Debian's usbredirect takes on its command line our drop-in takes, and its status is honest") {
  if (!on_path("usbredirect")) {
    skip_case("usbredirect is not installed (package usbredirect)");
    return;
  }
  BothPrograms both;
  const std::string theirs = both.debian({"--help"}).text, ours = both.ours({"--help"}).text;
  const std::regex option("(--?[a-z]+)(?=[, ])");
  int options = 0;
  for (std::sregex_iterator at(theirs.begin(), theirs.end(), option), end; at != end; ++at, ++options) {
    CHECK_MESSAGE(std::regex_search(ours, std::regex((*at)[1].str() + "[ ,\n]")), at->str());
  }
  CHECK(options == 9);  // -h --help --device --to --as -k --keepalive -v --verbose
  CHECK(both.debian({"-?"}).status == 0);
  CHECK(both.ours({"-?"}).text == ours);

  // There is no such device for usbredirect, and nobody at the address for ours: both have understood the line. Only
  // ours says so by its status.
  const std::vector<std::string> to = {"--to", "127.0.0.1:9"};
  for (std::vector<std::string> line :
       std::vector<std::vector<std::string>>{{"--device", "dead:beef"},
                                             {"--device=dead:beef"},
                                             {"--device", "0xdead:0xbeef"},
                                             {"--device", "dead:beef", "--device", "dead:beef"},
                                             {"-k", "--device", "dead:beef"},
                                             {"--keepalive", "--device", "dead:beef", "-v", "2"},
                                             {"--device", "dead:beef", "--verbose=1", "-v", "5"}}) {
    line.insert(line.end(), to.begin(), to.end());
    CAPTURE(line);
    const auto debian = both.debian(line), own = both.ours(line);
    CHECK_MESSAGE(contains(debian.text, "Failed to open device!"), debian.text);
    CHECK(debian.status == 0);
    CHECK_MESSAGE(contains(own.text, "cannot connect to 127.0.0.1 port 9"), own.text);
    CHECK(own.status == 1);
  }
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{},
                                             {"--device", "dead:beef"},
                                             {"--device", "mouse", "--to", "127.0.0.1:9"},
                                             {"--device", "dead:beef", "--to", "127.0.0.1"},
                                             {"--device", "dead:beef", "--to", "127.0.0.1:9", "--bogus"}}) {
    CAPTURE(line);
    CHECK(both.debian(line).status == 1);
    CHECK(both.ours(line).status == 2);
  }
}
