#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "device-sim/storage/scsi_disk.h"
#include "device-sim/storage/scsi_fields.h"

// The commands of ScsiDisk that describe the disk.
namespace usbloop::device_sim {
namespace {

using namespace scsi;  // fields and sense values: a table. NOLINT(google-build-using-namespace)

constexpr std::uint8_t kSpc4 = 0x06;

void append_text(std::vector<std::uint8_t>& bytes, std::string text, std::size_t size) {
  text.resize(size, ' ');
  bytes.insert(bytes.end(), text.begin(), text.end());
}

}  // namespace

ScsiDisk::Intent ScsiDisk::inquiry(Command command) {
  constexpr std::uint8_t kEnableVitalProductData = 1;
  if ((command[1] & kEnableVitalProductData) != 0) return vital_product_data(command);
  if (command[2] != 0) return fail(kInvalidField);
  constexpr std::uint8_t kRemovable = 0x80, kCommandQueue = 0x02;
  const std::uint8_t removable = identity_.is_ssd ? 0 : kRemovable;
  const std::uint8_t queue = identity_.is_ssd ? kCommandQueue : 0;
  // Direct access, response format 2, additional length 31.
  std::vector<std::uint8_t> data = {0x00, removable, kSpc4, 0x02, 31, 0, 0, queue};
  append_text(data, identity_.vendor, 8);
  append_text(data, identity_.product, 16);
  append_text(data, identity_.revision, 4);
  return reply(std::move(data), u16(command, 3));
}

ScsiDisk::Intent ScsiDisk::vital_product_data(Command command) {
  constexpr std::uint8_t kSupportedPages = 0x00, kUnitSerialNumber = 0x80, kDeviceIdentification = 0x83,
                         kBlockDeviceCharacteristics = 0xb1;
  std::vector<std::uint8_t> page;
  switch (command[2]) {
    case kSupportedPages:
      page = {kSupportedPages, kUnitSerialNumber, kDeviceIdentification};
      if (identity_.is_ssd) page.push_back(kBlockDeviceCharacteristics);
      break;
    case kUnitSerialNumber: page.assign(identity_.serial.begin(), identity_.serial.end()); break;
    case kDeviceIdentification:
      // One designator: ASCII, of the logical unit, vendor-specific form "T10 vendor ID based".
      page = {0x02, 0x01, 0x00, static_cast<std::uint8_t>(8 + identity_.serial.size())};
      append_text(page, identity_.vendor, 8);
      page.insert(page.end(), identity_.serial.begin(), identity_.serial.end());
      break;
    case kBlockDeviceCharacteristics:
      if (!identity_.is_ssd) return fail(kInvalidField);
      page.assign(60, 0);
      page[1] = 1;  // medium rotation rate: it does not turn
      break;
    default: return fail(kInvalidField);
  }
  std::vector<std::uint8_t> data = {0x00, command[2]};
  append(data, page.size(), 2);
  data.insert(data.end(), page.begin(), page.end());
  return reply(std::move(data), u16(command, 3));
}

ScsiDisk::Intent ScsiDisk::request_sense(Command command) {
  const Sense sense = take_sense();
  std::vector<std::uint8_t> data;
  for (const std::byte byte : uas::fixed_sense(sense.key, sense.code, sense.qualifier)) {
    data.push_back(std::to_integer<std::uint8_t>(byte));
  }
  return reply(std::move(data), command[4]);
}

ScsiDisk::Intent ScsiDisk::mode_sense(Command command) {
  constexpr std::uint8_t kCachingPage = 0x08, kAllPages = 0x3f;
  constexpr std::uint8_t kWriteCacheEnabled = 0x04, kWriteProtect = 0x80;
  const std::uint8_t wanted = command[2] & 0x3f;
  const bool changeable = (command[2] >> 6) == 1;
  if (wanted != kCachingPage && wanted != kAllPages) return fail(kInvalidField);
  std::vector<std::uint8_t> page(20, 0);
  page[0] = kCachingPage;
  page[1] = 18;
  // Written data is in the host's page cache until SYNCHRONIZE CACHE; without this bit a guest would never send one.
  if (!changeable) page[2] = kWriteCacheEnabled;

  const std::uint8_t specific = store_.read_only() ? kWriteProtect : 0;
  std::vector<std::uint8_t> data;
  const bool is_6 = command[0] == kModeSense6;
  if (is_6) {
    data = {static_cast<std::uint8_t>(3 + page.size()), 0, specific, 0};
  } else {
    append(data, 6 + page.size(), 2);
    data.insert(data.end(), {0, specific, 0, 0, 0, 0});
  }
  data.insert(data.end(), page.begin(), page.end());
  return reply(std::move(data), is_6 ? command[4] : u16(command, 7));
}

ScsiDisk::Intent ScsiDisk::read_capacity_10() {
  std::vector<std::uint8_t> data;
  append(data, std::min<std::uint64_t>(blocks() - 1, std::numeric_limits<std::uint32_t>::max()), 4);
  append(data, kBlockSize, 4);
  return reply(std::move(data), 8);
}

ScsiDisk::Intent ScsiDisk::service_action_in(Command command) {
  constexpr std::uint8_t kReadCapacity16 = 0x10;
  if ((command[1] & 0x1f) != kReadCapacity16) return fail(kInvalidField);
  std::vector<std::uint8_t> data;
  append(data, blocks() - 1, 8);
  append(data, kBlockSize, 4);
  data.resize(32, 0);
  return reply(std::move(data), u32(command, 10));
}

ScsiDisk::Intent ScsiDisk::read_format_capacities(Command command) {
  constexpr std::uint32_t kFormatted = 2U << 24;
  std::vector<std::uint8_t> data = {0, 0, 0, 8};
  append(data, std::min<std::uint64_t>(blocks(), std::numeric_limits<std::uint32_t>::max()), 4);
  append(data, kFormatted | kBlockSize, 4);
  return reply(std::move(data), u16(command, 7));
}

}  // namespace usbloop::device_sim
