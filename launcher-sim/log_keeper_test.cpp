#include "launcher-sim/log_keeper.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/fd.h"
#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;
namespace fs = std::filesystem;

namespace {

class Log {
 public:
  Log() : writer_(::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) { REQUIRE(writer_); }

  [[nodiscard]] std::string path() const { return directory_ / "serial.log"; }
  void append(const std::string& text) const {
    REQUIRE(::write(writer_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  test::TestDirectory directory_;
  Fd writer_;
};

}  // namespace

TEST_CASE("a log that is too long is cut to its last whole lines, and its writer goes on behind them") {
  const Log log;
  for (int line = 0; line < 100; ++line) log.append("line " + std::to_string(line) + "\n");
  const std::string whole = log.text();
  REQUIRE(shorten_log(log.path(), {.most = whole.size(), .kept = 20}));
  CHECK(log.text() == whole);

  log.append("more\n");
  REQUIRE(shorten_log(log.path(), {.most = whole.size(), .kept = 20}));
  log.append("last\n");
  const std::string text = log.text();
  CHECK(text.starts_with("[launcher-sim: "));
  CHECK(text.substr(text.find('\n') + 1) == "line 99\nmore\nlast\n");
}

TEST_CASE("one line without an end is cut too, and no log at all is no error") {
  const Log log;
  log.append(std::string(5000, 'x'));
  REQUIRE(shorten_log(log.path(), {.most = 4000, .kept = 100}));
  CHECK(log.text().size() < 200);
  CHECK(log.text().ends_with(std::string(100, 'x')));
  CHECK(shorten_log(log.path() + ".none", {}));
}

TEST_CASE("a log that is a symbolic link is left alone") {
  const Log log;
  log.append(std::string(5000, 'x'));
  const std::string link = log.path() + ".link";
  fs::create_symlink(log.path(), link);
  CHECK_FALSE(shorten_log(link, {.most = 100, .kept = 10}));
  CHECK(log.text().size() == 5000);
}
