#include "kube-sim/objects/json_error.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;

TEST_CASE("what is wrong with a text is said as Go says it") {
  struct Case {
    std::string text;
    const char* error;
  };
  for (const Case& entry :
       {Case{"{}", ""},
        {" [1, -0.5e+3, \"a\\u00e4\\n\", true, false, null, {\"a\": [{}]}] \n", ""},
        {"", "unexpected end of JSON input"},
        {"{", "unexpected end of JSON input"},
        {"{\"a\":", "unexpected end of JSON input"},
        {"\"a", "unexpected end of JSON input"},
        {"-", "unexpected end of JSON input"},
        {"tru", "unexpected end of JSON input"},
        {"not json", "invalid character 'o' in literal null (expecting 'u')"},
        {"hello", "invalid character 'h' looking for beginning of value"},
        {"kind: Pod", "invalid character 'k' looking for beginning of value"},
        {"[,]", "invalid character ',' looking for beginning of value"},
        {"[1,]", "invalid character ']' looking for beginning of value"},
        {"[1 2]", "invalid character '2' after array element"},
        {"{\"a\" 1}", "invalid character '1' after object key"},
        {"{\"a\":1 \"b\":2}", "invalid character '\"' after object key:value pair"},
        {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
        {"{a:1}", "invalid character 'a' looking for beginning of object key string"},
        {"{}x", "invalid character 'x' after top-level value"},
        {"01", "invalid character '1' after top-level value"},
        {"-a", "invalid character 'a' in numeric literal"},
        {"1.x", "invalid character 'x' after decimal point in numeric literal"},
        {"1ex", "invalid character 'x' in exponent of numeric literal"},
        {"truth", "invalid character 't' in literal true (expecting 'e')"},
        {"\"\n\"", "invalid character '\\n' in string literal"},
        {"\"\\x\"", "invalid character 'x' in string escape code"},
        {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
        {"'a'", "invalid character '\\'' looking for beginning of value"},
        {"\x01", "invalid character '\\x01' looking for beginning of value"},
        {"\xc3\xa4", "invalid character '\xc3\x83' looking for beginning of value"},
        {std::string("{\"a\":\0}", 7), "invalid character '\\x00' looking for beginning of value"}}) {
    CAPTURE(entry.text);
    CHECK(json_syntax_error(entry.text) == entry.error);
  }
  CHECK(json_syntax_error(std::string(100'000, '[')) == "unexpected end of JSON input");
}
