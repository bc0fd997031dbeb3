#include "common/shown_text.h"

#include <doctest/doctest.h>

#include "common/test_text.h"

using namespace usbloop;

TEST_CASE("control characters of both sets and those that turn the writing are left out, other text is not") {
  CHECK(one_line("gr\u00fc\u00df dich \u4f60\u597d \U0001f600") == "gr\u00fc\u00df dich \u4f60\u597d \U0001f600");
  CHECK(one_line("a\x1b[2Jb\rc\x07\x7f") == "a[2Jbc");
  for (const char* steering : {"\u0080", "\u009b", "\u009d", "\u009c", "\u009f", "\u061c", "\u200e", "\u200f", "\u202a",
                               "\u202e", "\u2028", "\u2029", "\u2066", "\u2069"}) {
    CAPTURE(escaped(steering));
    CHECK(one_line(std::string("a") + steering + "b") == "ab");
    CHECK(shown_lines(std::string("a") + steering + "b\nc") == "ab\nc");
    CHECK(escaped(steering).starts_with("\\x"));
  }
  CHECK(one_line("\u00a0\u2027\u202f\u2065\u206a") == "\u00a0\u2027\u202f\u2065\u206a");  // their neighbours
}

TEST_CASE("what is no UTF-8 is replaced, byte by byte") {
  for (const char* bad : {"\x80", "\x9b", "\xff", "\xc0\xaf", "\xc3", "\xe2\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf0\x80\x80\xaf"}) {
    CAPTURE(escaped(bad));
    std::string replaced;
    for (std::size_t i = 0; i < std::string_view(bad).size(); ++i) replaced += "\uFFFD";
    CHECK(one_line(std::string("a") + bad) == "a" + replaced);
  }
  CHECK(escaped("a\x9b\n\u009b\u00fc") == "a\\x9b\\x0a\\xc2\\x9b\u00fc");
}

TEST_CASE("one line stays one, and is cut between characters") {
  CHECK(one_line("a\nb\tc\n") == "a b c");
  CHECK(shown_lines("a\nb\tc") == "a\nb c");
  CHECK(one_line("aaa\u00fcb", 4) == "aaa");
  CHECK(one_line("aaa\u00fcb", 5) == "aaa\u00fc");
}
