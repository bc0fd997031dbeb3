#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "usbredir/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::usbredir;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the parser survives its corpus and mutations of it") { replay(kCorpus + "parser", fuzz::parser); }
TEST_CASE("the descriptor reader survives its corpus and mutations of it") {
  replay(kCorpus + "descriptors", fuzz::descriptors);
}
