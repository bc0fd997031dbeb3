#include "common/percent_text.h"

#include <doctest/doctest.h>

namespace usbloop {
namespace {

TEST_CASE("percent_text: digits of both cases are read, and a plus is a blank where it is asked for") {
  CHECK(percent_decoded("a%20b%2f%2Fc") == "a b//c");
  CHECK(percent_decoded("a+b%2B") == "a+b+");
  CHECK(percent_decoded("a+b%2B", Plus::blank) == "a b+");
  CHECK(percent_decoded("%C3%a4%00") == std::string("\xC3\xA4\0", 3));
  CHECK(percent_decoded("") == "");
}

TEST_CASE("percent_text: a percent sign without two digits is refused wherever it stands") {
  for (const char* broken : {"%", "a%", "%4", "a%4", "%zz", "%4z", "%z4", "%%41", "%+1", "% 1", "%-1", "%0x"}) {
    CAPTURE(broken);
    CHECK_FALSE(percent_decoded(broken));
  }
}

TEST_CASE("percent_text: every byte comes back as it was") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string encoded = percent_encoded(all);
  CHECK(percent_decoded(encoded) == all);
  CHECK(percent_decoded(encoded, Plus::blank) == all);
  CHECK(percent_encoded("a-Z_0.~ /") == "a-Z_0.~%20%2F");
}

}  // namespace
}  // namespace usbloop
