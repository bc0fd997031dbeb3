#include "kube-sim/schema/linear_regex.h"

#include <doctest/doctest.h>

#include <string>

using usbloop::apiserver::LinearRegex;

namespace {

bool finds(const char* pattern, const std::string& text) {
  const auto regex = LinearRegex::compile(pattern);
  REQUIRE(regex.has_value());
  return regex->finds(text);
}

}  // namespace

TEST_CASE("a pattern fits what Go's regular expressions say") {
  CHECK(finds("^a(b|cd)*e?$", "abcdb"));
  CHECK_FALSE(finds("^a(b|cd)*e?$", "abc"));
  CHECK(finds("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name-1"));
  CHECK_FALSE(finds("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name-"));
  CHECK(finds("^\\d{2,3}$", "123"));
  CHECK_FALSE(finds("^\\d{2,3}$", "1234"));
  CHECK_FALSE(finds("^\\d{2,3}$", "1"));
  CHECK(finds("^x{2}$", "xx"));
  CHECK(finds("^x{2,}$", "xxxxx"));
  CHECK(finds("b+", "aabba"));
  CHECK_FALSE(finds("^b", "ab"));
  CHECK(finds("^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$", "*/5 * * * 1"));
  CHECK(finds("^[^/]+/[[:alpha:]]+$", "a b/xyz"));
  CHECK(finds("^(?:a|)$", ""));
  CHECK(finds("^(a*)*$", "aaaa"));
  CHECK(finds("^[]a]+$", "]a"));
  CHECK(finds("a{,2}", "a{,2}"));
  CHECK(finds("", "anything"));
}

TEST_CASE("what is no pattern, or too much of one, is refused") {
  for (const char* pattern : {"(", ")", "[a", "a**b(", "+a", "(?=x)", "\\q", "[z-a]", "a{2,1}", "((a{100}){100}){100}",
                              "\\", "[\\\xc3\xa9]", "[a-\\\xff]"}) {
    CAPTURE(pattern);
    CHECK_FALSE(LinearRegex::compile(pattern).has_value());
  }
  CHECK_FALSE(LinearRegex::compile(std::string(10'000, '(')).has_value());
  CHECK_FALSE(LinearRegex::compile(std::string(10'000, 'a')).has_value());
}

TEST_CASE("a pattern that makes others try everything takes a long text quickly") {
  CHECK_FALSE(finds("^(a+)+(a|aa)*b$", std::string(100'000, 'a')));
}
