#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "device-sim/emulation/device.h"
#include "device-sim/sound/audio_function.h"

namespace usbloop::device_sim {

struct MicrophoneOptions {
  std::uint16_t vendor_id = 0x0d8c;
  std::uint16_t product_id = 0x0005;
  std::string serial;
  usbredir::Speed speed = usbredir::Speed::full;
  unsigned channels = 1;
  std::uint32_t tone = 440;  ///< in hertz
};

/// A microphone (USB Audio Class 1.0) that hears a tone, half as loud as can be; all channels hear the same.
class Microphone final : public Device {
 public:
  explicit Microphone(const MicrophoneOptions& options);

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override { behind_since_.reset(); }
  void select(std::uint8_t interface, std::uint8_t alternate) override;
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data) override;
  OutReply out(Pipe, std::span<const std::byte>) override { return OutReply::failed(TransferStatus::invalid); }
  InReply in(Pipe, std::span<std::byte>) override { return InReply::failed(TransferStatus::invalid); }
  std::size_t isochronous(std::uint8_t endpoint, std::span<std::byte> room) override;
  void advance(Time now) override { now_ = now; }
  bool clear_halt(std::uint8_t) override { return true; }
  Result<> flush() override { return {}; }

 private:
  [[nodiscard]] std::size_t due_frames();
  [[nodiscard]] std::int16_t next_sample();

  const unsigned channels_;
  const std::uint32_t tone_;
  usbredir::DeviceDescription description_;
  DescriptorSet descriptors_;
  SoundControls controls_{kSoundEndpointIn};
  Time now_{};
  std::optional<Time> behind_since_;  ///< up to then the guest has got all; nothing: it does not listen
  std::uint32_t phase_ = 0;           ///< of the tone, in 1/kSoundRate
};

}  // namespace usbloop::device_sim
