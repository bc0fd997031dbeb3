#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "client/translation/fuzz/targets.h"

using usbloop::fuzz::replay;

TEST_CASE("the initiator of Bulk-Only Transport survives a stick that answers anything") {
  replay(std::string(USBLOOP_FUZZ_CORPUS) + "stick_answers", usbloop::client::fuzz::stick_answers);
}
