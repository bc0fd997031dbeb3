#include "client/man_page.h"

#include <doctest/doctest.h>

#include <regex>
#include <set>

#include "client/options.h"
#include "common/test_text.h"

using namespace usbloop::client;
using usbloop::testing::contains;

namespace {

/// The flags that stand in a text.
std::set<std::string> flags_in(const std::string& text) {
  std::set<std::string> flags;
  const std::regex flag("--[a-z][a-z-]*");
  for (auto match = std::sregex_iterator(text.begin(), text.end(), flag); match != std::sregex_iterator(); ++match) {
    flags.insert(match->str());
  }
  return flags;
}

}  // namespace

TEST_CASE("the manual page has every flag of the help, and no line that troff takes for a request") {
  const auto line = parse_command_line("kubectl usbredir", {"__man"}, "usbloop 1.2.3 (abcdef0)");
  REQUIRE(line.is_data);
  const std::string plain = std::regex_replace(line.text, std::regex(R"(\\-)"), "-");
  const auto in_help = flags_in(parse_command_line("kubectl usbredir", {"--help"}, "").text);
  const auto in_page = flags_in(plain);
  CHECK(in_help.size() > 20);
  for (const auto& flag : in_help) CHECK_MESSAGE(in_page.count(flag) == 1, flag);
  for (const auto& flag : in_page) CHECK_MESSAGE(in_help.count(flag) == 1, flag);
  CHECK(contains(plain, "usbloop 1.2.3 (abcdef0)"));
  CHECK(contains(plain, "Exit status:"));
  CHECK(contains(plain, ".B --launch[=PROGRAM]\n"));
  CHECK(contains(plain, ".B -n, --namespace NAME\n"));

  const std::set<std::string> requests = {".TH", ".SH", ".SS", ".TP", ".B",  ".I",
                                          ".BR", ".PP", ".br", ".nf", ".fi", ".\\\""};
  std::size_t begin = 0;
  for (auto end = line.text.find('\n'); end != std::string::npos; end = line.text.find('\n', begin)) {
    const std::string text = line.text.substr(begin, end - begin);
    begin = end + 1;
    CHECK_FALSE(text.starts_with("'"));
    if (text.starts_with(".")) CHECK_MESSAGE(requests.count(text.substr(0, text.find(' '))) == 1, text);
  }
}
