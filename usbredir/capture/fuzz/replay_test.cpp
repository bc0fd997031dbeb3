#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "usbredir/capture/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::capture;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the reader of captures survives its corpus and mutations of it") {
  replay(kCorpus + "reader", fuzz::reader);
}
TEST_CASE("the translator of sessions survives its corpus and mutations of it") {
  replay(kCorpus + "session", fuzz::session);
}
