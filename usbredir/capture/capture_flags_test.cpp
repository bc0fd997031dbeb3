#include "usbredir/capture/capture_flags.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop;
using namespace usbloop::capture;
using testing::contains;

namespace {

struct Parsed {
  CaptureOptions options;
  std::string error;
};

Parsed parse(std::vector<std::string> arguments) {
  Parsed parsed;
  CLI::App app;
  CaptureFlags flags(app, parsed.options);
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  if (const auto fine = flags.finish(); !fine) parsed.error = fine.error().message();
  return parsed;
}

}  // namespace

TEST_CASE("the flags of a capture say what is wrong with them") {
  CHECK(parse({}).options.path.empty());
  const auto good = parse({"--capture", "a.pcapng", "--capture-size", "100M", "--capture-snap", "256"});
  CHECK(good.error.empty());
  CHECK(good.options.path == "a.pcapng");
  CHECK(good.options.size == 100 * 1024 * 1024);
  CHECK(good.options.snap == 256);
  CHECK(parse({"--record", "a.pcapng"}).options.path == "a.pcapng");
  CHECK(contains(parse({"--capture-size", "1G"}).error, "--capture-size: it belongs to --capture"));
  CHECK(contains(parse({"--capture", ""}).error, "--capture: it is empty"));
  CHECK(contains(parse({"--capture", "a", "--capture-size", "much"}).error, "\"much\" is not a size"));
  CHECK(contains(parse({"--capture", "a", "--capture-size", "15M"}).error, "less than 16M"));
  CHECK(contains(parse({"--capture", "a", "--capture-snap", "-1"}).error, "\"-1\" is not a size"));
}

TEST_CASE("sizes are read up to 64 bits") {
  CHECK(parse_byte_count("0") == 0);
  CHECK(parse_byte_count("3K") == 3072);
  CHECK(parse_byte_count("2G") == 2'147'483'648);
  CHECK(parse_byte_count("17179869183G") == 17'179'869'183ULL << 30);
  CHECK_FALSE(parse_byte_count("17179869184G"));
  CHECK_FALSE(parse_byte_count("18446744073709551616"));
  for (const char* text : {"", "M", "1MB", "1.5M", " 1", "1k", "+1"}) CHECK_FALSE(parse_byte_count(text));
}

TEST_CASE("a person hears of lost records, and of none when all are there") {
  CHECK(loss_text({10, 0}, "a.pcapng").empty());
  CHECK(contains(loss_text({10, 3}, "a.pcapng"), "3 of 10 records are not in the capture a.pcapng"));
}
