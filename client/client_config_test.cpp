#include "client/client_config.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::client;
using usbloop::testing::contains;

TEST_CASE("a configuration file has filter rules, comments and empty lines") {
  const auto config = parse_client_config(
      "# only storage\n\n  filter = 0x08,-1,-1,-1,1|0x0e,-1,-1,-1,1 \r\nfilter=-1,-1,-1,-1,0", "usbredir.conf");
  REQUIRE(config);
  CHECK(config->filter.all().size() == 3);
  CHECK(parse_client_config("", "usbredir.conf")->filter.empty());
}

TEST_CASE("each wrong line is named with its number") {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {Case{"filter 8,-1,-1,-1,1", "line 1: \"filter 8,-1,-1,-1,1\" is no setting"},
                                   {"\n\nallow = 1", "line 3: \"allow\" is no setting"},
                                   {"= 8,-1,-1,-1,1", "line 1: \"\" is no setting"},
                                   {"# fine\nfilter = storage", "line 2: cannot use the filter rule \"storage\""},
                                   {"filter =", "line 1: cannot use the filter rule \"\": it is empty"}}) {
    const auto config = parse_client_config(text, "usbredir.conf");
    REQUIRE_FALSE(config);
    CHECK_MESSAGE(contains(config.error().message(), says), config.error().message());
    CHECK_FALSE(config.error().hint.empty());
  }
}

TEST_CASE("a file that is not there says nothing, and one that cannot be used is an error") {
  std::string folder = (std::filesystem::temp_directory_path() / "usbloop-config-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const auto path = folder + "/usbredir.conf";
  CHECK(load_client_config("")->filter.empty());
  CHECK(load_client_config(path)->filter.empty());
  std::ofstream(path) << "filter = 8,-1,-1,-1,1\n";
  CHECK(load_client_config(path)->filter.all().size() == 1);
  std::ofstream(path) << std::string(64 * 1024 + 1, '#');
  CHECK_FALSE(load_client_config(path));
  CHECK_FALSE(load_client_config(folder));
  CHECK_FALSE(parse_client_config(std::string(64 * 1024 + 1, '#'), "usbredir.conf"));
  std::filesystem::remove_all(folder);
}
