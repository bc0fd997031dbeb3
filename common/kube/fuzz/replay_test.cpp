#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "common/kube/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::kube;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("the reader of kubeconfig files survives its corpus") { replay(kCorpus + "kubeconfig", fuzz::kubeconfig); }
TEST_CASE("the reader of Status objects survives its corpus") { replay(kCorpus + "status", fuzz::status); }
