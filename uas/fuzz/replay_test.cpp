#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "uas/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::uas;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the UAS target survives its corpus and mutations of it") { replay(kCorpus + "target", fuzz::target); }
