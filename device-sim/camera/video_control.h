#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "device-sim/camera/picture_controls.h"
#include "device-sim/camera/video_mode.h"
#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

/// The class requests of a camera: how guest and camera agree on a mode (UVC 1.0, 4.3.1.1), and why a request was
/// stalled; and the controls of the processing unit.
class VideoControl {
 public:
  VideoControl(VideoTransfers transfers, VideoOffer offer)
      : transfers_(transfers), offer_(std::move(offer)), probed_(offer_.usual()), committed_(offer_.usual()) {}

  /// Everything but the picture's controls.
  void reset();

  /// A mode that is proposed (PROBE) becomes the nearest one there is. One that is committed has to be there as it is:
  /// stall otherwise.
  ControlReply request(const SetupPacket& setup, std::span<const std::byte> data);

  /// The mode committed last; at first the default.
  [[nodiscard]] const VideoMode& committed() const { return committed_; }
  /// Commits so far: one more means that streaming by bulk begins anew.
  [[nodiscard]] unsigned commits() const { return commits_; }

  /// What the picture's controls say.
  [[nodiscard]] const Tone& tone() const { return controls_.tone(); }

 private:
  ControlReply refuse(std::uint8_t code);
  ControlReply error_code(std::uint8_t request);
  ControlReply picture_control(const SetupPacket& setup, std::span<const std::byte> data, bool set);
  ControlReply get_mode(std::uint8_t request, const VideoMode& current);
  ControlReply set_mode(bool commit, std::span<const std::byte> data);
  [[nodiscard]] VideoMode nearest_mode(std::span<const std::byte> data) const;
  [[nodiscard]] std::vector<std::byte> write(const VideoMode& mode) const;

  VideoTransfers transfers_;
  VideoOffer offer_;
  PictureControls controls_;
  VideoMode probed_;
  VideoMode committed_;
  unsigned commits_ = 0;
  std::uint8_t error_ = 0;  ///< why the last request was refused (UVC 1.0, 4.2.1.2)
};

}  // namespace usbloop::device_sim
