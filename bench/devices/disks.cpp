#include "bench/devices/disks.h"

#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "e2e/harness/failure.h"
#include "uas/pipes.h"

namespace usbloop::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Block = std::array<std::uint8_t, 10>;
using e2e::Failure;

constexpr std::uint32_t kDiskPiece = 128 * 1024, kDiskBlock = 512;
constexpr std::uint8_t kRead = 0x28, kWrite = 0x2a, kSynchronize = 0x35;
constexpr std::uint8_t kStickIn = 0x81, kStickOut = 0x02;

double disk_seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// READ(10), WRITE(10), or SYNCHRONIZE CACHE(10) of all.
Block command_block(std::uint8_t operation, std::uint64_t piece = 0) {
  Block block{operation};
  if (operation == kSynchronize) return block;
  const auto first = static_cast<std::uint32_t>(piece * kDiskPiece / kDiskBlock);
  for (unsigned i = 0; i < 4; ++i) block[2 + i] = static_cast<std::uint8_t>(first >> 8 * (3 - i));
  constexpr std::uint16_t kBlocks = kDiskPiece / kDiskBlock;
  block[7] = kBlocks >> 8;
  block[8] = kBlocks & 0xff;
  return block;
}

const std::vector<std::byte>& piece_data() {
  static const std::vector<std::byte> kData(kDiskPiece, std::byte{0x5a});
  return kData;
}

/// Waits for the answer and that it has as many bytes.
DeviceGuest::Answer expect(DeviceGuest& guest, std::uint32_t size) {
  const auto answer = guest.next();
  if (answer.size != size) throw Failure("a transfer of " + std::to_string(answer.size) + " bytes came");
  return answer;
}

void stick_command(DeviceGuest& guest, const Block& block, std::uint32_t length) {
  constexpr std::size_t kCommandWrapper = 31, kStatusWrapper = 13;
  std::array<std::byte, kCommandWrapper> wrapper{};
  static std::uint32_t tag = 0;
  const std::uint32_t words[] = {0x43425355, ++tag, length};
  std::memcpy(wrapper.data(), words, sizeof words);
  wrapper[12] = std::byte{static_cast<std::uint8_t>(block[0] == kRead ? 0x80 : 0)};
  wrapper[14] = static_cast<std::byte>(block.size());
  std::memcpy(wrapper.data() + 15, block.data(), block.size());
  guest.out(kStickOut, wrapper);
  expect(guest, wrapper.size());
  if (block[0] == kRead) {
    guest.in(kStickIn, length);
    expect(guest, length);
  } else if (block[0] == kWrite) {
    guest.out(kStickOut, piece_data());
    expect(guest, length);
  }
  guest.in(kStickIn, kStatusWrapper);
  if (expect(guest, kStatusWrapper).last != std::byte{0}) throw Failure("a command to the stick failed");
}

void ssd_command(DeviceGuest& guest, std::uint16_t tag, const Block& block) {
  constexpr std::size_t kCommandUnit = 32, kBlockAt = 16;
  constexpr std::uint32_t kStatusRoom = 112;
  guest.in(uas::kStatusEndpoint, kStatusRoom, tag);
  if (block[0] == kRead) guest.in(uas::kDataInEndpoint, kDiskPiece, tag);
  if (block[0] == kWrite) guest.out(uas::kDataOutEndpoint, piece_data(), tag);
  std::array<std::byte, kCommandUnit> unit{};
  unit[0] = std::byte{1};
  unit[3] = static_cast<std::byte>(tag);
  std::memcpy(unit.data() + kBlockAt, block.data(), block.size());
  guest.out(uas::kCommandEndpoint, unit);
}

/// `count` commands, `depth` of them at once.
void ssd_commands(DeviceGuest& guest, std::uint8_t operation, std::uint64_t count, unsigned depth = 8) {
  // In the order in which a command begins them.
  constexpr std::uint32_t kGoodStatus = 16, kCommandUnit = 32;
  const std::vector<std::uint32_t> sizes = operation == kSynchronize
                                               ? std::vector<std::uint32_t>{kGoodStatus, kCommandUnit}
                                               : std::vector<std::uint32_t>{kGoodStatus, kDiskPiece, kCommandUnit};
  struct Transfer {
    unsigned tag;
    std::uint32_t size;
  };
  std::vector<std::size_t> left(depth + 1);  // transfers of a tag that are not answered
  std::map<std::uint64_t, Transfer> under_way;
  std::uint64_t begun = 0, ended = 0;
  const auto begin = [&](unsigned tag) {
    ssd_command(guest, static_cast<std::uint16_t>(tag), command_block(operation, begun++));
    left[tag] = sizes.size();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      under_way[guest.last_id() - (sizes.size() - 1 - i)] = {tag, sizes[i]};
    }
  };
  for (unsigned tag = 1; tag <= depth && begun < count; ++tag) begin(tag);
  while (ended < count) {
    const auto answer = guest.next();
    const auto found = under_way.find(answer.id);
    if (found == under_way.end() || found->second.size != answer.size) throw Failure("a command to the SSD failed");
    const unsigned tag = found->second.tag;
    under_way.erase(found);
    if (--left[tag] > 0) continue;
    ++ended;
    if (begun < count) begin(tag);
  }
}

}  // namespace

DiskTimes time_stick(DeviceGuest& guest, std::uint64_t bytes) {
  DiskTimes times;
  auto begin = Clock::now();
  for (std::uint64_t piece = 0; piece < bytes / kDiskPiece; ++piece) {
    stick_command(guest, command_block(kRead, piece), kDiskPiece);
  }
  times.read = disk_seconds_since(begin);
  begin = Clock::now();
  for (std::uint64_t piece = 0; piece < bytes / kDiskPiece; ++piece) {
    stick_command(guest, command_block(kWrite, piece), kDiskPiece);
  }
  times.write = disk_seconds_since(begin);
  stick_command(guest, command_block(kSynchronize), 0);
  times.flushed = disk_seconds_since(begin);
  return times;
}

DiskTimes time_ssd(DeviceGuest& guest, std::uint64_t bytes) {
  constexpr std::uint32_t kPipesWithStreams = 1U << 2 | 1U << 17 | 1U << 19;  // data out, data in, status
  guest.select(0, 1);
  guest.give_streams(kPipesWithStreams, uas::kStreams);
  DiskTimes times;
  auto begin = Clock::now();
  ssd_commands(guest, kRead, bytes / kDiskPiece);
  times.read = disk_seconds_since(begin);
  begin = Clock::now();
  ssd_commands(guest, kWrite, bytes / kDiskPiece);
  times.write = disk_seconds_since(begin);
  ssd_commands(guest, kSynchronize, 1, 1);
  times.flushed = disk_seconds_since(begin);
  return times;
}

}  // namespace usbloop::bench
