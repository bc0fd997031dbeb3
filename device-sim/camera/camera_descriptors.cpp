#include "device-sim/camera/camera_descriptors.h"

#include <vector>

#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

using usbredir::DescriptorWriter;
namespace type = usbredir::descriptor_type;

constexpr std::uint8_t kAssociation = 0x0b, kClassSpecific = 0x24, kVideo = 0x0e;
constexpr std::uint8_t kVideoControl = 1, kVideoStreaming = 2, kVideoCollection = 3;  // subclasses
constexpr std::uint8_t kCameraTerminal = 1, kOutputTerminal = 2;                      // our numbers of them
constexpr std::uint8_t kIsochronousAsynchronous = 0x05, kBulkTransfers = 0x02;

void write_control_interface(DescriptorWriter& writer) {
  constexpr std::uint16_t kVersion = 0x0100, kTotal = 13 + 18 + 11 + 9;
  constexpr std::uint32_t kClock = 48'000'000;
  constexpr std::uint8_t kHeader = 1, kInput = 2, kOutput = 3, kProcessing = 5;
  constexpr std::uint16_t kBrightnessAndContrast = 3;
  constexpr std::uint16_t kCamera = 0x0201, kStreaming = 0x0101;
  writer.begin(type::kInterface).u8(kControlInterface).u8(0).u8(0).u8(kVideo).u8(kVideoControl).u8(0).u8(2);
  writer.begin(kClassSpecific).u8(kHeader).u16(kVersion).u16(kTotal).u32(kClock).u8(1).u8(kStreamingInterface);
  // No zoom, and three bytes of controls, of which it has none.
  writer.begin(kClassSpecific).u8(kInput).u8(kCameraTerminal).u16(kCamera).u8(0).u8(0);
  writer.u16(0).u16(0).u16(0).u8(3).u8(0).u8(0).u8(0);
  writer.begin(kClassSpecific).u8(kProcessing).u8(kProcessingUnit).u8(kCameraTerminal).u16(0).u8(2);
  writer.u16(kBrightnessAndContrast).u8(0);
  writer.begin(kClassSpecific).u8(kOutput).u8(kOutputTerminal).u16(kStreaming).u8(0).u8(kProcessingUnit).u8(0);
}

void write_size(DescriptorWriter& writer, const VideoOffer& offer, PictureFormat format, std::uint8_t index) {
  constexpr std::uint8_t kUncompressedFrame = 5, kMjpegFrame = 7;
  constexpr std::uint32_t kSecond = 10'000'000;  // in units of 100 ns
  const PictureSize size = offer.sizes.at(index - 1U);
  const std::uint32_t most_bytes = offer.most_bytes({format, index, kIntervals.front()});
  const auto bits_per_second = [&](std::uint32_t interval) {
    return static_cast<std::uint32_t>(std::uint64_t{most_bytes} * 8 * kSecond / interval);
  };
  writer.begin(kClassSpecific).u8(format == PictureFormat::yuyv ? kUncompressedFrame : kMjpegFrame).u8(index).u8(0);
  writer.u16(size.width).u16(size.height);
  writer.u32(bits_per_second(kIntervals.back())).u32(bits_per_second(kIntervals.front())).u32(most_bytes);
  writer.u32(offer.usual().interval).u8(kIntervals.size());
  for (const std::uint32_t interval : kIntervals) writer.u32(interval);
}

void write_sizes_and_colours(DescriptorWriter& writer, const VideoOffer& offer, PictureFormat format) {
  constexpr std::uint8_t kColours = 13;
  for (std::uint8_t index = 1; index <= offer.sizes_of(format).size(); ++index)
    write_size(writer, offer, format, index);
  writer.begin(kClassSpecific).u8(kColours).u8(1).u8(1).u8(4);  // BT.709's primaries and gamma, BT.601's matrix
}

void write_formats(DescriptorWriter& writer, const VideoOffer& offer) {
  constexpr std::uint8_t kInputHeader = 1, kUncompressed = 4, kMjpeg = 6, kBitsPerPixel = 16;
  const std::size_t sizes = offer.yuyv_sizes + offer.sizes.size();
  const std::size_t total = 15 + 27 + 11 + sizes * (26 + 4 * kIntervals.size()) + 2 * 6;
  writer.begin(kClassSpecific).u8(kInputHeader).u8(2).u16(static_cast<std::uint16_t>(total)).u8(kVideoEndpoint).u8(0);
  writer.u8(kOutputTerminal).u8(0).u8(0).u8(0).u8(1).u8(0).u8(0);
  const auto count_of = [&](PictureFormat format) { return static_cast<std::uint8_t>(offer.sizes_of(format).size()); };
  writer.begin(kClassSpecific).u8(kUncompressed).u8(1).u8(count_of(PictureFormat::yuyv));
  for (const char c : {'Y', 'U', 'Y', '2'}) writer.u8(static_cast<std::uint8_t>(c));
  for (const int byte : {0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71}) {
    writer.u8(static_cast<std::uint8_t>(byte));
  }
  writer.u8(kBitsPerPixel).u8(offer.usual_frame).u8(0).u8(0).u8(0).u8(0);
  write_sizes_and_colours(writer, offer, PictureFormat::yuyv);
  writer.begin(kClassSpecific)
      .u8(kMjpeg)
      .u8(2)
      .u8(count_of(PictureFormat::mjpeg))
      .u8(0)
      .u8(offer.usual_frame)
      .u8(0)
      .u8(0)
      .u8(0)
      .u8(0);
  write_sizes_and_colours(writer, offer, PictureFormat::mjpeg);
}

void write_streaming_setting(DescriptorWriter& writer, std::uint8_t alternate, std::uint8_t endpoints) {
  writer.begin(type::kInterface).u8(kStreamingInterface).u8(alternate).u8(endpoints);
  writer.u8(kVideo).u8(kVideoStreaming).u8(0).u8(0);
}

void write_video_endpoint(DescriptorWriter& writer, std::uint8_t attributes, std::uint16_t packet,
                          std::uint8_t interval) {
  writer.begin(type::kEndpoint).u8(kVideoEndpoint).u8(attributes).u16(packet).u8(interval);
}

void write_streaming_interface(DescriptorWriter& writer, VideoTransfers transfers, const VideoOffer& offer) {
  const bool is_bulk = transfers == VideoTransfers::bulk;
  write_streaming_setting(writer, 0, is_bulk ? 1 : 0);
  write_formats(writer, offer);
  if (is_bulk) return write_video_endpoint(writer, kBulkTransfers, 512, 0);
  for (std::size_t i = 0; i < kIsoSettings.size(); ++i) {
    write_streaming_setting(writer, static_cast<std::uint8_t>(i + 1), 1);
    const int packet = kIsoSettings[i].packet | (kIsoSettings[i].transactions - 1) << 11;
    write_video_endpoint(writer, kIsochronousAsynchronous, static_cast<std::uint16_t>(packet),
                         kIsoSettings[i].exponent);
  }
}

/// What the device and its qualifier have in common: the class, which says that interfaces belong together.
DescriptorWriter& write_class(DescriptorWriter& writer) {
  constexpr std::uint16_t kUsb = 0x0200;
  constexpr std::uint8_t kMiscellaneous = 0xef, kCommon = 2, kAssociated = 1, kControlPacket = 64;
  return writer.u16(kUsb).u8(kMiscellaneous).u8(kCommon).u8(kAssociated).u8(kControlPacket);
}

}  // namespace

DescriptorSet camera_descriptors(const usbredir::DeviceDescription& description, VideoTransfers transfers,
                                 const VideoOffer& offer) {
  constexpr std::uint16_t kRelease = 0x0100;
  constexpr std::uint8_t kSerial = 3, kHalfAnAmpere = 250;
  DescriptorSet set;
  DescriptorWriter writer;
  write_class(writer.begin(type::kDevice)).u16(description.vendor_id).u16(description.product_id).u16(kRelease);
  set.device = writer.u8(1).u8(2).u8(description.serial.empty() ? 0 : kSerial).u8(1).finish();
  writer.begin(type::kConfiguration).u16(0).u8(2).u8(1).u8(0).u8(0x80).u8(kHalfAnAmpere);
  writer.begin(kAssociation).u8(kControlInterface).u8(2).u8(kVideo).u8(kVideoCollection).u8(0).u8(2);
  write_control_interface(writer);
  write_streaming_interface(writer, transfers, offer);
  set.configuration = writer.finish(2);
  set.strings = {description.manufacturer, description.product, description.serial};
  return set;
}

}  // namespace usbloop::device_sim
