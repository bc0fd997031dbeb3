#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device-sim/emulation/device.h"
#include "device-sim/sound/audio_function.h"
#include "device-sim/sound/wave_file.h"

namespace usbloop::device_sim {

struct SpeakerOptions {
  std::uint16_t vendor_id = 0x0d8c;
  std::uint16_t product_id = 0x0012;
  std::string serial;
  usbredir::Speed speed = usbredir::Speed::full;
  unsigned channels = 2;
};

/// A speaker (USB Audio Class 1.0) that keeps what the guest plays, as loud as the guest says.
class Speaker final : public Device {
 public:
  /// `file` may be null: then nothing is kept. It has to be one of 48,000 frames a second and as many channels.
  Speaker(const SpeakerOptions& options, std::unique_ptr<WaveFile> file);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override;
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe, std::span<const std::byte>) override { return OutReply::failed(TransferStatus::invalid); }
  InReply in(Pipe, std::span<std::byte>) override { return InReply::failed(TransferStatus::invalid); }
  void isochronous_out(std::uint8_t endpoint, std::span<const std::byte> data) override;
  bool clear_halt(std::uint8_t) override { return true; }
  Result<> flush() override;

 private:
  const unsigned channels_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  SoundControls controls_{kSoundEndpointOut};
  std::unique_ptr<WaveFile> file_;
  std::vector<std::byte> sound_;  ///< of one packet
};

}  // namespace usbloop::device_sim
