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
                            Case{"kubevirt.io in (virt-handler)", false}}) {
    CAPTURE(entry.selector);
    CHECK(labels(entry.selector, web) == entry.matches);
  }
}

TEST_CASE("broken label selectors are refused") {
  for (const char* text :
       {"=", "a=b=c", "a in", "a in (", "a in (b", "a b", "!", "a,=", "a in b", "a==!=b", "((", "!!a"}) {
    CAPTURE(text);
    CHECK_FALSE(Selector::parse_labels(text).has_value());
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

TEST_CASE("broken field selectors are refused") {
  for (const char* text : {"a", "=b", "!=b", "a=b=c", "a=b\\", "a=b\\x", "in (a)"}) {
    CAPTURE(text);
    CHECK_FALSE(Selector::parse_fields(text).has_value());
  }
}
