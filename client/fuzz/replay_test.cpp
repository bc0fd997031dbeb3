#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "client/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::client;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the reader of filter rules survives its corpus, and agrees with the library") {
  replay(kCorpus + "filter_rules", fuzz::filter_rules);
}
TEST_CASE("the reader of configuration files survives its corpus") {
  replay(kCorpus + "client_config", fuzz::client_config);
}
