#include "uas/pipes.h"

namespace usbloop::uas {
namespace {

using usbredir::Speed;
namespace type = usbredir::descriptor_type;

constexpr std::uint8_t kMassStorage = 0x08, kScsiTransparent = 0x06, kAttachedScsi = 0x62, kBulk = 2;

void write_pipe(usbredir::DescriptorWriter& writer, std::uint8_t endpoint, std::uint8_t pipe, Speed speed) {
  constexpr std::uint8_t kPipeUsage = 0x24, kMaxBurst = 15, kTwoToTheFourth = 4;
  constexpr std::uint16_t kHighPacket = 512, kSuperPacket = 1024;
  const bool is_super = speed == Speed::super;
  writer.begin(type::kEndpoint).u8(endpoint).u8(kBulk).u16(is_super ? kSuperPacket : kHighPacket).u8(0);
  if (is_super) {
    writer.begin(type::kSuperspeedCompanion)
        .u8(kMaxBurst)
        .u8(endpoint == kCommandEndpoint ? 0 : kTwoToTheFourth)
        .u16(0);
  }
  writer.begin(kPipeUsage).u8(pipe).u8(0);
}

}  // namespace

void write_interface(usbredir::DescriptorWriter& writer, std::uint8_t alternate, Speed speed) {
  constexpr std::uint8_t kCommandPipe = 1, kStatusPipe = 2, kDataInPipe = 3, kDataOutPipe = 4;
  writer.begin(type::kInterface)
      .u8(0)
      .u8(alternate)
      .u8(4)
      .u8(kMassStorage)
      .u8(kScsiTransparent)
      .u8(kAttachedScsi)
      .u8(0);
  write_pipe(writer, kCommandEndpoint, kCommandPipe, speed);
  write_pipe(writer, kStatusEndpoint, kStatusPipe, speed);
  write_pipe(writer, kDataInEndpoint, kDataInPipe, speed);
  write_pipe(writer, kDataOutEndpoint, kDataOutPipe, speed);
}

usbredir::InReply serve_in(Target& target, std::uint8_t endpoint, std::uint32_t stream, std::span<std::byte> room) {
  switch (endpoint) {
    case kStatusEndpoint: return target.status(stream, room);
    case kDataInEndpoint: return target.data_in(stream, room);
    default: return usbredir::InReply::stall();
  }
}

usbredir::OutReply serve_out(Target& target, std::uint8_t endpoint, std::uint32_t stream,
                             std::span<const std::byte> data) {
  switch (endpoint) {
    case kCommandEndpoint: return target.command(data);
    case kDataOutEndpoint: return target.data_out(stream, data);
    default: return usbredir::OutReply::failed(usbredir::TransferStatus::stall);
  }
}

}  // namespace usbloop::uas
