#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "device-sim/camera/picture_files.h"
#include "device-sim/camera/video_control.h"
#include "device-sim/camera/video_mode.h"
#include "device-sim/camera/video_stream.h"
#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

struct CameraOptions {
  std::uint16_t vendor_id = 0x13d3;
  std::uint16_t product_id = 0x5406;
  std::string serial;
  VideoTransfers transfers = VideoTransfers::bulk;
  std::shared_ptr<const PictureFiles> files;  ///< what it shows; null: a TestPattern
};

/// A camera (USB Video Class 1.0) at high speed, which shows a TestPattern, or files.
class Camera final : public Device {
 public:
  explicit Camera(const CameraOptions& options);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  OutReply out(Pipe pipe, std::span<const std::byte> data) override;
  InReply in(Pipe, std::span<std::byte> room) override { return stream_.bulk(room); }
  std::size_t isochronous(std::uint8_t, std::span<std::byte> room) override { return stream_.isochronous(room); }
  void advance(Time now) override;
  [[nodiscard]] std::optional<Time> due() const override;
  bool clear_halt(std::uint8_t endpoint) override;
  Result<> flush() override { return {}; }

 private:
  void start();

  const VideoTransfers transfers_;
  const std::shared_ptr<const PictureFiles> files_;
  const VideoOffer offer_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  VideoControl control_;
  VideoStream stream_;
  Time now_;
};

}  // namespace usbloop::device_sim
