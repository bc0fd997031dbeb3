#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "device-sim/storage/scsi_disk.h"
#include "device-sim/storage/test_support.h"

// A disk for tests that is spoken to in SCSI; no part of the library.
namespace usbloop::device_sim::test {

struct Disk {
  explicit Disk(std::size_t blocks = 64, bool read_only = false)
      : store(blocks, read_only), disk(store, {"Kingston", "DataTraveler 3.0", "PMAP", "60A44C41"}) {}

  ScsiDisk::Intent begin(const std::vector<std::uint8_t>& command) {
    return disk.begin(std::as_bytes(std::span(command)));
  }

  /// The data of a command that gives some.
  std::vector<std::uint8_t> get(const std::vector<std::uint8_t>& command) {
    const auto intent = begin(command);
    REQUIRE_FALSE(disk.failed());
    std::vector<std::uint8_t> data(intent.bytes);
    REQUIRE(disk.produce(std::as_writable_bytes(std::span(data))));
    return data;
  }

  Sense sense() {
    const auto data = get({0x03, 0, 0, 0, 18, 0});
    REQUIRE(data.size() == 18);
    return {data[2], data[12], data[13]};
  }

  /// The sense of a command that must fail.
  Sense refusal(const std::vector<std::uint8_t>& command) {
    const auto intent = begin(command);
    CHECK(disk.failed());
    CHECK(intent.bytes == 0);
    return sense();
  }

  MemoryStore store;
  ScsiDisk disk;
};

}  // namespace usbloop::device_sim::test
