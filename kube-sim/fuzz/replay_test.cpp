#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "kube-sim/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::apiserver;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the readers of a request's head survive their corpus") {
  replay(kCorpus + "request_head", fuzz::request_head);
}
TEST_CASE("the reader of continue tokens survives its corpus") {
  replay(kCorpus + "continue_token", fuzz::continue_token);
}
TEST_CASE("the readers of selectors survive their corpus") { replay(kCorpus + "selectors", fuzz::selectors); }
TEST_CASE("the readers of bodies survive their corpus") { replay(kCorpus + "object", fuzz::object); }
TEST_CASE("users' definitions of kinds survive their corpus") { replay(kCorpus + "definition", fuzz::definition); }
TEST_CASE("patterns of schemas survive their corpus") { replay(kCorpus + "regex", fuzz::regex); }
TEST_CASE("patches survive their corpus") { replay(kCorpus + "patch", fuzz::patch); }
TEST_CASE("the reader of token files survives its corpus") { replay(kCorpus + "token_file", fuzz::token_file); }
