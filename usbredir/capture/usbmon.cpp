#include "usbredir/capture/usbmon.h"

#include <algorithm>
#include <cstring>

namespace usbloop::capture {
namespace {

using usbredir::TransferType;

/// The header as it stands in memory, in the byte order of the machine.
struct UsbmonHeader {
  std::uint64_t id;
  std::uint8_t event;
  std::uint8_t type;
  std::uint8_t endpoint;
  std::uint8_t device;
  std::uint16_t bus;
  std::uint8_t setup_flag;  // 0: `setup` is one
  std::uint8_t data_flag;   // 0: data follow
  std::int64_t seconds;
  std::int32_t microseconds;
  std::int32_t status;
  std::uint32_t length;
  std::uint32_t captured;
  Setup setup;  // isochronous: count of errors, count of packets
  std::int32_t interval;
  std::int32_t start_frame;
  std::uint32_t flags;
  std::uint32_t packets;
};
static_assert(sizeof(UsbmonHeader) == kUsbmonHeader);

struct UsbmonIsoPacket {
  std::int32_t status;
  std::uint32_t offset;
  std::uint32_t length;
  std::uint32_t padding;
};
static_assert(sizeof(UsbmonIsoPacket) == 16);

// usbmon's numbers of the types: isochronous, interrupt, control, bulk.
constexpr std::array<TransferType, 4> kTypes = {TransferType::iso, TransferType::interrupt, TransferType::control,
                                                TransferType::bulk};

auto refuse_record(std::string cause) {
  return make_error(ErrorKind::protocol, "read the record of a USB transfer", "", std::move(cause));
}

void put_iso_counts(const Urb& urb, UsbmonHeader& header) {
  const auto is_bad = [](const IsoPacket& packet) { return packet.status != 0; };
  const bool is_over = urb.event == Event::complete;
  const auto errors =
      static_cast<std::int32_t>(is_over ? std::count_if(urb.packets.begin(), urb.packets.end(), is_bad) : 0);
  const auto count = static_cast<std::int32_t>(urb.packets.size());
  std::memcpy(header.setup.data(), &errors, sizeof errors);
  std::memcpy(header.setup.data() + sizeof errors, &count, sizeof count);
}

std::uint8_t data_flag(const Urb& urb) {
  if (!urb.data.empty()) return 0;
  if (urb.event == Event::submit && urb.is_in()) return '<';
  return urb.event != Event::submit && !urb.is_in() ? '>' : 0;
}

void append(std::vector<std::byte>& bytes, const void* from, std::size_t size) {
  const auto* begin = static_cast<const std::byte*>(from);
  bytes.insert(bytes.end(), begin, begin + size);
}

}  // namespace

std::vector<std::byte> usbmon_header(const Urb& urb) {
  constexpr std::int64_t kMicros = 1'000'000;
  UsbmonHeader header{};
  header.id = urb.id;
  header.event = static_cast<std::uint8_t>(urb.event);
  header.type = static_cast<std::uint8_t>(std::find(kTypes.begin(), kTypes.end(), urb.type) - kTypes.begin());
  header.endpoint = urb.endpoint;
  header.device = urb.device;
  header.bus = urb.bus;
  header.setup_flag = urb.setup ? 0 : '-';
  header.data_flag = data_flag(urb);
  header.seconds = urb.time.count() / kMicros;
  header.microseconds = static_cast<std::int32_t>(urb.time.count() % kMicros);
  header.status = urb.status;
  header.length = urb.length;
  header.captured = static_cast<std::uint32_t>(urb.packets.size() * sizeof(UsbmonIsoPacket) + urb.data.size());
  if (urb.setup) header.setup = *urb.setup;
  if (urb.type == TransferType::iso) put_iso_counts(urb, header);
  header.interval = urb.interval;
  header.start_frame = urb.start_frame;
  header.flags = urb.flags;
  header.packets = static_cast<std::uint32_t>(urb.packets.size());
  std::vector<std::byte> bytes;
  bytes.reserve(kUsbmonHeader + urb.packets.size() * sizeof(UsbmonIsoPacket));
  append(bytes, &header, sizeof header);
  for (const IsoPacket& packet : urb.packets) {
    const UsbmonIsoPacket raw{packet.status, packet.offset, packet.length, 0};
    append(bytes, &raw, sizeof raw);
  }
  return bytes;
}

std::size_t whole_size(const Urb& urb) {
  return kUsbmonHeader + urb.packets.size() * sizeof(UsbmonIsoPacket) + std::max(urb.whole, urb.data.size());
}

Result<Urb> read_usbmon(std::span<const std::byte> bytes) {
  if (bytes.size() < kUsbmonHeader) return refuse_record("it ends within its header");
  UsbmonHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes = bytes.subspan(sizeof header);
  if (header.event != 'S' && header.event != 'C' && header.event != 'E') return refuse_record("an unknown event");
  if (header.type >= kTypes.size()) return refuse_record("an unknown type of transfer");
  Urb urb;
  urb.id = header.id;
  urb.event = static_cast<Event>(header.event);
  urb.type = kTypes[header.type];
  urb.endpoint = header.endpoint;
  urb.device = header.device;
  urb.bus = header.bus;
  const bool is_iso = urb.type == TransferType::iso;
  if (header.setup_flag == 0 && !is_iso) urb.setup = header.setup;
  constexpr std::int64_t kMicros = 1'000'000;
  constexpr std::int64_t kLatest = 253'402'300'799;  // the year 9999
  if (header.seconds < 0 || header.seconds > kLatest || header.microseconds < 0 || header.microseconds >= kMicros)
    return refuse_record("a time that is none");
  urb.time = std::chrono::microseconds(header.seconds * kMicros + header.microseconds);
  urb.status = header.status;
  urb.length = header.length;
  urb.interval = header.interval;
  urb.start_frame = header.start_frame;
  urb.flags = header.flags;
  const std::size_t packets = is_iso ? header.packets : 0;
  if (packets > kMostIsoPackets || packets * sizeof(UsbmonIsoPacket) > bytes.size())
    return refuse_record("more isochronous packets than it has room for");
  for (std::size_t i = 0; i < packets; ++i) {
    UsbmonIsoPacket raw{};
    std::memcpy(&raw, bytes.data() + i * sizeof raw, sizeof raw);
    urb.packets.push_back({raw.status, raw.offset, raw.length});
  }
  const std::size_t table = packets * sizeof(UsbmonIsoPacket);
  urb.whole = header.data_flag == 0 && header.captured > table ? header.captured - table : 0;
  const auto data = bytes.subspan(table, std::min(bytes.size() - table, urb.whole));
  urb.data.assign(data.begin(), data.end());
  return urb;
}

}  // namespace usbloop::capture
