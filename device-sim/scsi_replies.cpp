#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "device-sim/scsi_disk.h"
#include "device-sim/scsi_fields.h"

// The commands of ScsiDisk that describe the disk.
namespace usbloop::device_sim {
namespace {

using namespace scsi;  // fields and sense values: a table. NOLINT(google-build-using-namespace)

constexpr std::uint8_t spc_4 = 0x06;

void append_text(std::vector<std::uint8_t>& bytes, std::string text, std::size_t size) {
  text.resize(size, ' ');
  bytes.insert(bytes.end(), text.begin(), text.end());
}

}  // namespace

ScsiDisk::Intent ScsiDisk::inquiry(Command command) {
  constexpr std::uint8_t enable_vital_product_data = 1;
  if ((command[1] & enable_vital_product_data) != 0) return vital_product_data(command);
  if (command[2] != 0) return fail(invalid_field);
  // Direct access, removable, response format 2, additional length 31.
  std::vector<std::uint8_t> data = {0x00, 0x80, spc_4, 0x02, 31, 0, 0, 0};
  append_text(data, identity_.vendor, 8);
  append_text(data, identity_.product, 16);
  append_text(data, identity_.revision, 4);
  return reply(std::move(data), u16(command, 3));
}

ScsiDisk::Intent ScsiDisk::vital_product_data(Command command) {
  constexpr std::uint8_t supported_pages = 0x00, unit_serial_number = 0x80, device_identification = 0x83;
  std::vector<std::uint8_t> page;
  switch (command[2]) {
    case supported_pages: page = {supported_pages, unit_serial_number, device_identification}; break;
    case unit_serial_number: page.assign(identity_.serial.begin(), identity_.serial.end()); break;
    case device_identification:
      // One designator: ASCII, of the logical unit, vendor-specific form "T10 vendor ID based".
      page = {0x02, 0x01, 0x00, static_cast<std::uint8_t>(8 + identity_.serial.size())};
      append_text(page, identity_.vendor, 8);
      page.insert(page.end(), identity_.serial.begin(), identity_.serial.end());
      break;
    default: return fail(invalid_field);
  }
  std::vector<std::uint8_t> data = {0x00, command[2]};
  append(data, page.size(), 2);
  data.insert(data.end(), page.begin(), page.end());
  return reply(std::move(data), u16(command, 3));
}

ScsiDisk::Intent ScsiDisk::request_sense(Command command) {
  // Current error, fixed format (SPC-4, 4.5.3), 10 additional bytes.
  std::vector<std::uint8_t> data(18, 0);
  data[0] = 0x70;
  data[2] = sense_.key;
  data[7] = 10;
  data[12] = sense_.code;
  data[13] = sense_.qualifier;
  sense_ = {};
  return reply(std::move(data), command[4]);
}

ScsiDisk::Intent ScsiDisk::mode_sense(Command command) {
  constexpr std::uint8_t caching_page = 0x08, all_pages = 0x3f;
  constexpr std::uint8_t write_cache_enabled = 0x04, write_protect = 0x80;
  const std::uint8_t wanted = command[2] & 0x3f;
  const bool changeable = (command[2] >> 6) == 1;
  if (wanted != caching_page && wanted != all_pages) return fail(invalid_field);
  std::vector<std::uint8_t> page(20, 0);
  page[0] = caching_page;
  page[1] = 18;
  // Written data is in the host's page cache until SYNCHRONIZE CACHE; without this bit a guest would never send one.
  if (!changeable) page[2] = write_cache_enabled;

  const std::uint8_t specific = store_.read_only() ? write_protect : 0;
  std::vector<std::uint8_t> data;
  const bool is_6 = command[0] == mode_sense_6;
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
  append(data, block_size, 4);
  return reply(std::move(data), 8);
}

ScsiDisk::Intent ScsiDisk::service_action_in(Command command) {
  constexpr std::uint8_t read_capacity_16 = 0x10;
  if ((command[1] & 0x1f) != read_capacity_16) return fail(invalid_field);
  std::vector<std::uint8_t> data;
  append(data, blocks() - 1, 8);
  append(data, block_size, 4);
  data.resize(32, 0);
  return reply(std::move(data), u32(command, 10));
}

ScsiDisk::Intent ScsiDisk::read_format_capacities(Command command) {
  constexpr std::uint32_t formatted = 2U << 24;
  std::vector<std::uint8_t> data = {0, 0, 0, 8};
  append(data, std::min<std::uint64_t>(blocks(), std::numeric_limits<std::uint32_t>::max()), 4);
  append(data, formatted | block_size, 4);
  return reply(std::move(data), u16(command, 7));
}

}  // namespace usbloop::device_sim
