#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "common/websocket/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::websocket;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the frame decoder survives its corpus") { replay(kCorpus + "frames", fuzz::frames); }
TEST_CASE("the reader of an upgrade's answer survives its corpus") { replay(kCorpus + "handshake", fuzz::handshake); }
TEST_CASE("the reader of a proxy's answers survives its corpus") { replay(kCorpus + "proxy", fuzz::proxy); }
