#include "device-sim/camera/camera.h"

#include <utility>

#include "device-sim/camera/camera_descriptors.h"

namespace usbloop::device_sim {
namespace {

usbredir::DeviceDescription describe_camera(const CameraOptions& options) {
  return {options.vendor_id,   options.product_id, usbredir::Speed::high, "IMC Networks",
          "Integrated Camera", options.serial,     "emulated camera"};
}

/// Pictures of files have one size, in both formats.
VideoOffer offer_of(const PictureFiles& files) {
  return {{files.size()}, 1, 1, static_cast<std::uint32_t>(files.most_bytes())};
}

}  // namespace

Camera::Camera(const CameraOptions& options)
    : transfers_(options.transfers),
      files_(options.files),
      offer_(files_ ? offer_of(*files_) : offer_of_pattern()),
      description_(describe_camera(options)),
      descriptors_(camera_descriptors(description_, transfers_, offer_)),
      control_(transfers_, offer_) {}

void Camera::start() {
  const VideoMode mode = control_.committed();
  auto source = files_ ? file_source(files_, mode.format) : pattern_source(offer_.size_of(mode), mode.format);
  stream_.start(std::move(source), mode.interval, now_);
}

void Camera::reset() {
  control_.reset();
  stream_.stop();
}

// Streaming begins with a commit by bulk, and otherwise with an alternate setting that has the endpoint (UVC 1.0,
// 2.4.3.1 and 4.3.1.1).
ControlReply Camera::request(const SetupPacket& setup, std::span<const std::byte> data) {
  const unsigned commits = control_.commits();
  ControlReply reply = control_.request(setup, data);
  stream_.set_tone(control_.tone());
  if (transfers_ == VideoTransfers::bulk && control_.commits() != commits) start();
  return reply;
}

void Camera::select(std::uint8_t interface, std::uint8_t alternate) {
  if (interface != kStreamingInterface) return;
  stream_.stop();
  if (alternate != 0) start();
}

OutReply Camera::out(Pipe, std::span<const std::byte>) { return OutReply::failed(TransferStatus::invalid); }

void Camera::advance(Time now) {
  now_ = now;
  stream_.advance(now);
}

/// The packets of an isochronous endpoint have a clock of their own.
std::optional<Time> Camera::due() const { return transfers_ == VideoTransfers::bulk ? stream_.due() : std::nullopt; }

// A guest that stops streaming by bulk clears the endpoint's halt, to say so.
bool Camera::clear_halt(std::uint8_t) {
  stream_.stop();
  return true;
}

}  // namespace usbloop::device_sim
