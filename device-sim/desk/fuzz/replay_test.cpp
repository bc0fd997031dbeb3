#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "device-sim/desk/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::desk;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("desk files survive their corpus and mutations of it") {
  replay(kCorpus + "desk_file", fuzz::desk_file, 200);
}

TEST_CASE("a desk survives its clients' corpus and mutations of it") {
  replay(kCorpus + "desk_control", fuzz::desk_control, 200);
}
