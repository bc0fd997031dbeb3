#include "common/fuzz/replay.h"

#include <doctest/doctest.h>

#include <string>

#include "device-sim/fuzz/targets.h"

using usbloop::fuzz::replay;
using namespace usbloop::device_sim;

namespace {
const std::string kCorpus = USBLOOP_FUZZ_CORPUS;
}

TEST_CASE("emulated storage survives its corpus and mutations of it") {
  replay(kCorpus + "storage", fuzz::storage, 200);
}

TEST_CASE("an emulated microphone and an emulated speaker survive their corpus and mutations of it") {
  replay(kCorpus + "audio", fuzz::audio, 500);
}

TEST_CASE("an emulated camera survives its corpus and mutations of it") {
  replay(kCorpus + "camera", fuzz::camera, 200);
}

TEST_CASE("the files of a camera's pictures survive their corpus and mutations of it") {
  replay(kCorpus + "picture", fuzz::picture, 1000);
}

TEST_CASE("an emulated keyboard and an emulated mouse survive their corpus and mutations of it") {
  replay(kCorpus + "hid", fuzz::hid, 500);
}

TEST_CASE("an emulated serial port and an emulated adapter survive their corpus and mutations of it") {
  replay(kCorpus + "cdc", fuzz::cdc, 500);
}

TEST_CASE("an emulated smart-card reader survives its corpus and mutations of it") {
  replay(kCorpus + "ccid", fuzz::ccid, 1000);
}

TEST_CASE("the lines of a program that models a device survive their corpus and mutations of it") {
  replay(kCorpus + "model", fuzz::model, 2000);
}

TEST_CASE("an emulated network adapter survives its corpus and mutations of it") {
  replay(kCorpus + "network", fuzz::network, 500);
}

TEST_CASE("recordings of any kind survive being replayed") { replay(kCorpus + "recording", fuzz::recording, 500); }
