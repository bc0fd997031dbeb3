#include "device-sim/emulation/fault.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "common/test_text.h"
#include "device-sim/emulation/descriptor_lies.h"
#include "device-sim/kinds.h"
#include "device-sim/storage/stick.h"
#include "device-sim/storage/test_support.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::contains;

namespace {

std::string fault_cause(const std::string& text) {
  const auto fault = parse_fault(text);
  REQUIRE_FALSE(fault);
  CHECK(fault.error().kind == ErrorKind::invalid);
  return fault.error().cause;
}

}  // namespace

TEST_CASE("a fault is read with its parameters, and has its defaults without") {
  const auto plain = parse_fault("stall");
  REQUIRE(plain);
  CHECK(plain->kind == FaultKind::stall);
  CHECK_FALSE(plain->endpoint);
  CHECK(plain->at == 1);
  CHECK(plain->times == 1);
  const auto full = parse_fault("stall:endpoint=0x81:at=5:times=2");
  REQUIRE(full);
  CHECK(full->endpoint == 0x81);
  CHECK(full->at == 5);
  CHECK(full->times == 2);
  CHECK(parse_fault("stall:endpoint=129")->endpoint == 0x81);
  CHECK(parse_fault("reset-storm")->times == 3);
  CHECK(parse_fault("reset-storm:resets=7")->times == 7);
  CHECK(parse_fault("slow:latency=20:rate=64K")->rate == 65536);
  CHECK(parse_fault("slow:rate=2M")->rate == 2097152);
  CHECK(parse_fault("slow:latency=20")->latency == std::chrono::milliseconds(20));
  CHECK(parse_fault("unit-attention:code=0x2a09")->code == 0x2a09);
  CHECK(parse_fault("medium-error:block=100:blocks=8")->blocks == 8);
  CHECK(parse_fault("wrong-speed:speed=low")->speed == usbredir::Speed::low);
  CHECK(parse_fault("descriptors:lie=packet-size")->lie == "packet-size");
  CHECK(parse_fault("short:bytes=7")->bytes == 7);
  const auto two = parse_faults(" stall:at=2  slow:latency=1 ");
  REQUIRE(two);
  REQUIRE(two->size() == 2);
  CHECK((*two)[1].kind == FaultKind::slow);
}

TEST_CASE("a fault that makes no sense is refused with the reason") {
  CHECK(fault_cause("stahl") == "there is no such fault");
  CHECK(fault_cause("") == "there is no such fault");
  CHECK(contains(parse_fault("stahl").error().hint, "stall, error, timeout, short"));
  CHECK(fault_cause("stall:block=1") == "it takes no 'block'");
  CHECK(fault_cause("stall:") == "it takes no ''");
  CHECK(fault_cause("stall:at=1:at=2") == "at= is given twice");
  for (const char* value : {"at=0", "at=-1", "at=x", "at=", "at=18446744073709551616", "endpoint=0x90", "endpoint=0x71",
                            "times=0", "endpoint=0x"}) {
    CAPTURE(value);
    CHECK(contains(fault_cause(std::string("stall:") + value), "makes no sense"));
  }
  CHECK(contains(fault_cause("slow:rate=2000000M"), "makes no sense"));
  CHECK(contains(fault_cause("slow:latency=600001"), "makes no sense"));
  CHECK(fault_cause("slow") == "latency= or rate= is missing");
  CHECK(fault_cause("medium-error") == "block= is missing");
  CHECK(fault_cause("descriptors") == "lie= is missing");
  CHECK(fault_cause("wrong-speed") == "speed= is missing");
  CHECK(contains(parse_fault("descriptors:lie=big").error().hint, "total-length, zero-length"));
  CHECK_FALSE(parse_faults("  "));
  CHECK_FALSE(parse_faults("stall bad"));
}

TEST_CASE("the help tells of each fault and of each lie, in lines that a terminal has room for") {
  const std::string help = fault_help();
  for (const FaultInfo& info : fault_kinds()) {
    CAPTURE(info.name);
    CHECK(name_of(info.kind) == info.name);
    CHECK(contains(help, std::string("  ") + info.name + "[:"));
    CHECK(contains(help, info.help));
  }
  for (const DescriptorLie& lie : descriptor_lies()) CHECK(contains(help, std::string("  ") + lie.name + " "));
  std::istringstream lines(fault_help());
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 120, line);
}

TEST_CASE("each lie changes a stick's descriptors, and what has no endpoint cannot lie about one") {
  const Stick stick(std::make_unique<device_sim::test::MemoryStore>(8), Stick::defaults());
  for (const DescriptorLie& lie : descriptor_lies()) {
    CAPTURE(lie.name);
    DescriptorSet set = stick.descriptors();
    CHECK(lie.apply(set));
    CHECK((set.device != stick.descriptors().device || set.configuration != stick.descriptors().configuration));
    CHECK(set.configuration.size() >= 9);
  }
  DescriptorSet bare = stick.descriptors();
  bare.configuration.resize(18);
  for (const char* name : {"zero-length", "no-endpoints", "endpoint-twice", "endpoint-0", "packet-size"}) {
    CAPTURE(name);
    DescriptorSet set = bare;
    CHECK_FALSE(find_lie(name)->apply(set));
    CHECK(set.configuration == bare.configuration);
  }
}

TEST_CASE("a description can have faults, of those that make sense for its device") {
  CHECK(make_host_end("keyboard,fault=stall:at=2 slow:latency=5"));
  const auto refusal_of = [](const std::string& spec) {
    const auto made = make_host_end(spec);
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::invalid);
    CHECK(made.error().operation == kEmulateOperation);
    return made.error();
  };
  CHECK(contains(refusal_of("keyboard,fault=medium-error:block=1").message(),
                 "cannot emulate the fault medium-error of 046d:c31c"));
  CHECK(refusal_of("keyboard,fault=tag").cause == "it is no storage device");
  CHECK(refusal_of("keyboard,fault=stall:endpoint=0x82").cause == "it has no endpoint 0x82");
  CHECK(refusal_of("keyboard,fault=stall:endpoint=0x82").hint == "Its endpoints: 0x81.");
  CHECK(refusal_of("serial,fault=short:endpoint=2").cause ==
        "endpoint 0x02 cannot have this fault, by its direction or its type");
  CHECK(refusal_of("serial,fault=short:endpoint=0").cause ==
        "endpoint 0x00 cannot have this fault, by its direction or its type");
  CHECK(refusal_of("keyboard,fault=wrong-speed:speed=low").cause == "it is the right speed");
  CHECK(refusal_of("camera,transfers=isochronous,fault=stall").cause == "it has no endpoint that can have this fault");
  CHECK(make_host_end("camera,transfers=isochronous,fault=short:at=100"));
  CHECK(refusal_of("keyboard,fault=bad").cause == "there is no such fault");
  CHECK(refusal_of("keyboard,fault").cause == "none is named");
}
