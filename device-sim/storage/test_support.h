#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/storage/block_store.h"
#include "usbredir/parser.h"

// Helpers of the tests; no part of the library.
namespace usbloop::device_sim::test {

/// A disk in memory that can be told to fail.
class MemoryStore final : public BlockStore {
 public:
  explicit MemoryStore(std::size_t blocks, bool read_only = false) : bytes(blocks * kBlockSize), read_only_(read_only) {
    std::mt19937 random(1);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  }

  [[nodiscard]] std::uint64_t size() const override { return reported_size ? reported_size : bytes.size(); }
  [[nodiscard]] bool read_only() const override { return read_only_; }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override {
    if (fail_reads) return make_error(ErrorKind::internal, "read", "memory", "told to fail");
    std::memcpy(into.data(), bytes.data() + offset, into.size());
    return {};
  }
  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override {
    if (fail_writes) return make_error(ErrorKind::internal, "write", "memory", "told to fail");
    std::memcpy(bytes.data() + offset, from.data(), from.size());
    return {};
  }
  Result<> flush() override {
    if (fail_writes) return make_error(ErrorKind::internal, "flush", "memory", "told to fail");
    ++flushes;
    return {};
  }

  std::vector<std::byte> bytes;
  std::uint64_t reported_size = 0;  ///< to pretend a disk that is bigger than memory
  bool fail_reads = false;
  bool fail_writes = false;
  int flushes = 0;

 private:
  bool read_only_;
};

/// A command block wrapper (Bulk-Only Transport, 5.1).
inline std::vector<std::byte> command_wrapper(std::span<const std::uint8_t> command, std::uint32_t length, bool in,
                                              std::uint32_t tag = 0x1234) {
  std::vector<std::byte> wrapper(31);
  const std::uint32_t words[] = {0x43425355, tag, length};
  std::memcpy(wrapper.data(), words, sizeof words);
  wrapper[12] = std::byte{static_cast<std::uint8_t>(in ? 0x80 : 0)};
  wrapper[14] = static_cast<std::byte>(command.size());
  std::memcpy(wrapper.data() + 15, command.data(), command.size());
  return wrapper;
}

/// READ(10) or WRITE(10).
inline std::vector<std::uint8_t> access_10(std::uint8_t operation, std::uint32_t block, std::uint16_t count) {
  return {operation,
          0,
          static_cast<std::uint8_t>(block >> 24),
          static_cast<std::uint8_t>(block >> 16),
          static_cast<std::uint8_t>(block >> 8),
          static_cast<std::uint8_t>(block),
          0,
          static_cast<std::uint8_t>(count >> 8),
          static_cast<std::uint8_t>(count),
          0};
}

inline std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace usbloop::device_sim::test
