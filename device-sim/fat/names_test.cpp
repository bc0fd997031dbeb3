#include "device-sim/fat/names.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace usbloop::fat;

namespace {

std::string text(const ShortName& name) { return {name.begin(), name.end()}; }

std::string short_of(const std::string& name) {
  ShortNames names;
  names.announce(name);
  return text(names.give(name));
}

}  // namespace

TEST_CASE("names become UTF-16, and what is not UTF-8 is no name") {
  CHECK(to_utf16("a\xc3\xa4\xe2\x82\xac") == u"a\u00e4\u20ac");
  CHECK(to_utf16("\xf0\x9f\x98\x80") == u"\U0001f600");
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\x80", "\xe2\x82"}) {
    CHECK_FALSE(to_utf16(bad));
    CHECK(why_unfit(bad) == "its name is not UTF-8");
  }
}

TEST_CASE("names that a FAT file system cannot hold are told with the reason") {
  CHECK(why_unfit("a:b") == "its name has a :");
  CHECK(why_unfit("what?") == "its name has a ?");
  CHECK(why_unfit("a\nb") == "its name has a control character");
  CHECK(why_unfit("a.") == "its name ends with a dot or a space");
  CHECK(why_unfit("a ") == "its name ends with a dot or a space");
  CHECK(why_unfit(std::string(255, 'a')).empty());
  CHECK(why_unfit(std::string(256, 'a')) == "its name is longer than 255 characters");
  for (const char* good : {".bashrc", "a b", "a.b.c", "[x]", "a+b,c;d=e", "\xf0\x9f\x98\x80"})
    CHECK(why_unfit(good).empty());
}

TEST_CASE("names that differ in case alone are one, in every script") {
  CHECK(folded(u"Readme") == folded(u"rEADME"));
  CHECK(folded(u"\u00e4\u0436\u03c9") == folded(u"\u00c4\u0416\u03a9"));
  CHECK(folded(u"a") != folded(u"\u00e4"));
}

TEST_CASE("short names are those that DOS would have given") {
  CHECK(short_of("README.TXT") == "README  TXT");
  CHECK(short_of("readme.txt") == "README  TXT");
  CHECK(short_of("a") == "A          ");
  CHECK(short_of("long name.text") == "LONGNA~1TEX");
  CHECK(short_of("a.b.c") == "AB~1    C  ");
  CHECK(short_of(".bashrc") == "BASHRC~1   ");
  CHECK(short_of("\xc3\xa4.txt") == "_~1     TXT");
  CHECK(short_of("a+b.txt") == "A_B~1   TXT");
  CHECK(short_of("...a") == "A~1        ");
  CHECK(short_of(". a") == "A~1        ");
}

TEST_CASE("a name that is short keeps it, whoever is asked first, and thousands alike get one each") {
  ShortNames names;
  names.announce("LONGFILENAME.TXT");
  names.announce("LONGFI~1.TXT");
  CHECK(text(names.give("LONGFILENAME.TXT")) == "LONGFI~2TXT");
  CHECK(text(names.give("LONGFI~1.TXT")) == "LONGFI~1TXT");
  ShortNames many;
  std::set<ShortName> given;
  for (int i = 0; i < 20000; ++i) given.insert(many.give("some photo " + std::to_string(i) + ".jpeg"));
  CHECK(given.size() == 20000);
}

TEST_CASE("a long name is needed where the short one does not say all") {
  ShortNames names;
  for (const char* name : {"README.TXT", "A", "A-B_C.7Z"}) CHECK(says_all(names.give(name), name));
  for (const char* name : {"readme.txt", "Readme.TXT", "A B", "ABCDEFGHI", "a.b.c"})
    CHECK_FALSE(says_all(names.give(name), name));
}
