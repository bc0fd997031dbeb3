#pragma once

// For tests only.
namespace usbloop::device_sim::test {

/// A vendor's device of full speed: bulk IN 0x81, bulk OUT 0x02, interrupt IN 0x83.
inline constexpr const char* kModelHello =
    R"({"speed": "full", "device": "120100020000004009120100000101020301",)"
    R"( "configuration": "0902270001010080320904000003ff000000070581024000000705020240000007058303100001",)"
    R"( "strings": ["Maker", "Thing", "0001"]})";

}  // namespace usbloop::device_sim::test
