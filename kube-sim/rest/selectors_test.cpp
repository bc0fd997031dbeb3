#include "kube-sim/rest/selectors.h"

#include <doctest/doctest.h>

using namespace usbloop::apiserver;

namespace {

bool labels(const char* selector, const Fields& fields) {
  const auto parsed = Selector::parse_labels(selector);
  REQUIRE_MESSAGE(parsed.has_value(), selector);
  return parsed->matches(fields);
}

bool fields(const char* selector, const Fields& values) {
  const auto parsed = Selector::parse_fields(selector);
  REQUIRE_MESSAGE(parsed.has_value(), selector);
  return parsed->matches(values);
}

}  // namespace

TEST_CASE("label selectors of every form") {
  const Fields web = {{"app", "web"}, {"tier", ""}};
  struct Case {
    const char* selector;
    bool matches;
  };
  for (const Case& entry : {Case{"", true},
                            Case{"app=web", true},
                            Case{"app==web", true},
                            Case{"app = web", true},
                            Case{"app=db", false},
                            Case{"app!=db", true},
                            Case{"app!=web", false},
                            Case{"other!=x", true},
                            Case{"other=x", false},
                            Case{"app", true},
                            Case{"other", false},
                            Case{"!app", false},
                            Case{"!other", true},
                            Case{"tier=", true},
                            Case{"app in (web,db)", true},
                            Case{"app in (db)", false},
                            Case{"app notin (db, mail)", true},
                            Case{"app notin (web)", false},
                            Case{"other notin (web)", true},
                            Case{"other in (web)", false},
                            Case{"app=web,!other,tier", true},
                            Case{"app=web,other", false},
                            Case{"app in ()", false},
                            Case{"tier in (,x)", true},
                            Case{"in in (web)", false},
                            Case{"app>5", false},
                            Case{"kubevirt.io in (virt-handler)", false}}) {
    CAPTURE(entry.selector);
    CHECK(labels(entry.selector, web) == entry.matches);
  }
}

TEST_CASE("label selectors compare numbers") {
  const Fields cores = {{"cores", "4"}, {"name", "x"}};
  CHECK(labels("cores>3", cores));
  CHECK(labels("cores < 5", cores));
  CHECK_FALSE(labels("cores>4", cores));
  CHECK_FALSE(labels("name>0", cores));
  CHECK_FALSE(labels("other<5", cores));
}

TEST_CASE("broken label selectors are refused as Kubernetes refuses them") {
  const std::string name =
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
      "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
      "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  const std::string value =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
      "and "
      "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
      "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  const std::string requirement = "unable to parse requirement: ";
  struct Case {
    const char* selector;
    std::string error;
  };
  for (const Case& entry :
       {Case{"=", "found '=', expected: !, identifier, or 'end of string'"},
        {"((", "found '(', expected: !, identifier, or 'end of string'"},
        {",a", "found ',', expected: !, identifier, or 'end of string'"},
        {"a=b=c", "found '=', expected: ',' or 'end of string'"},
        {"a=b c", "found 'c', expected: ',' or 'end of string'"},
        {"a,", "found '', expected: identifier after ','"},
        {"a,=", "found '=', expected: identifier after ','"},
        {"a b", requirement + "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        {"a (b)", requirement + "found '(', expected: in, notin, =, ==, !=, gt, lt"},
        {"a in", requirement + "found '' expected: '('"},
        {"a in b", requirement + "found 'b' expected: '('"},
        {"a in (", requirement + "found '', expected: ',', ')' or identifier"},
        {"a in (=", requirement + "found '=', expected: ',', ')' or identifier"},
        {"a in (b", requirement + "found '', expected: ',' or ')'"},
        {"a in (b,", requirement + "found '', expected: ',', or identifier"},
        {"!", requirement + "found '', expected: identifier"},
        {"!!a", requirement + "found '!', expected: identifier"},
        {"a==!=b", requirement + "found '!=', expected: identifier"},
        {"a>b",
         requirement + "values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"},
        {"-a", requirement + "<nil>: Invalid value: \"-a\": " + name},
        {"a=-b", requirement + "values[0][a]: Invalid value: \"-b\": " + value}}) {
    CAPTURE(entry.selector);
    const auto parsed = Selector::parse_labels(entry.selector);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == entry.error);
  }
}

TEST_CASE("field selectors: several terms in any order, equality and its contrary, empty values") {
  const Fields event = {{"involvedObject.name", "demo"}, {"involvedObject.kind", "VMI"}, {"metadata.name", "e1"}};
  CHECK(fields("involvedObject.kind=VMI,involvedObject.name=demo", event));
  CHECK(fields("involvedObject.name==demo,involvedObject.kind!=Pod", event));
  CHECK_FALSE(fields("involvedObject.name!=demo", event));
  CHECK(fields("metadata.name=e1,", event));
  CHECK(fields("spec.nodeName=", event));  // an absent field is an empty one
  CHECK(fields("status.phase!=Failed", event));
  CHECK_FALSE(fields("spec.nodeName!=", event));
  CHECK(fields("metadata.name=a\\,b\\=c\\\\d", {{"metadata.name", "a,b=c\\d"}}));
}

TEST_CASE("broken field selectors are refused as Kubernetes refuses them") {
  struct Case {
    const char* selector;
    const char* error;
  };
  for (const Case& entry :
       {Case{"a", "invalid selector: 'a'; can't understand 'a'"},
        {"metadata.name=x,in (a)", "invalid selector: 'metadata.name=x,in (a)'; can't understand 'in (a)'"},
        {"a=b=c", "invalid field selector: unescaped character in value: 61"},
        {"a=b\\", "invalid field selector: invalid escape sequence: \\"},
        {"a=b\\x", "invalid field selector: invalid escape sequence: \\x"}}) {
    CAPTURE(entry.selector);
    const auto parsed = Selector::parse_fields(entry.selector);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == entry.error);
  }
}
