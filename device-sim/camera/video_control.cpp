#include "device-sim/camera/video_control.h"

#include <algorithm>
#include <utility>

#include "device-sim/camera/video_requests.h"

namespace usbloop::device_sim {
namespace {

using namespace video_request;  // a table of numbers. NOLINT(google-build-using-namespace)

constexpr std::uint16_t kProbe = 0x0100, kCommit = 0x0200, kErrorCode = 0x0200;  // wValue: the selector, and 0
constexpr std::uint8_t kSetType = 0x21, kGetType = 0xa1;                         // class requests to an interface

constexpr std::size_t kModeLength = 26;  // UVC 1.0, table 4-47
constexpr std::size_t kFormatAt = 2, kFrameAt = 3, kIntervalAt = 4, kPictureBytesAt = 18, kPayloadBytesAt = 22;

void put_number(std::vector<std::byte>& bytes, std::size_t at, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> 8 * i);
}

std::uint32_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(bytes[at + i]) << 8 * i;
  return value;
}

std::uint32_t nearest_interval(std::uint32_t wanted) {
  const auto distance = [wanted](std::uint32_t each) { return each > wanted ? each - wanted : wanted - each; };
  return *std::min_element(kIntervals.begin(), kIntervals.end(),
                           [&](std::uint32_t a, std::uint32_t b) { return distance(a) < distance(b); });
}

ControlReply accepted(std::vector<std::byte> data = {}) { return {TransferStatus::success, std::move(data)}; }

}  // namespace

std::uint32_t longest_payload(std::uint32_t interval, std::uint32_t most_bytes, VideoTransfers transfers) {
  if (transfers == VideoTransfers::bulk) return kBulkPayload;
  constexpr std::uint32_t kMicroframe = 1250;  // in units of 100 ns
  for (const IsoSetting& setting : kIsoSettings) {
    // One of eight is left out (emulated_iso.cpp), and a picture has to be out before the next one is due.
    const std::uint32_t packets = interval / (kMicroframe << (setting.exponent - 1)) * 4 / 5;
    if (packets * (setting.bytes() - kPayloadHeader) >= most_bytes) return setting.bytes();
  }
  return kIsoSettings.back().bytes();
}

ControlReply VideoControl::request(const SetupPacket& setup, std::span<const std::byte> data) {
  const bool set = setup.request_type == kSetType && setup.request == kSetCurrent;
  const bool get = setup.request_type == kGetType && (setup.request & 0x80) != 0;
  if (!set && !get) return refuse(kInvalidRequest);
  // The high byte of wIndex is a terminal or unit; these requests are to the interfaces themselves.
  if (setup.index == kControlInterface && setup.value == kErrorCode && get) return error_code(setup.request);
  if (setup.index == (kProcessingUnit << 8 | kControlInterface)) return picture_control(setup, data, set);
  const bool is_mode = setup.value == kProbe || setup.value == kCommit;
  if (setup.index != kStreamingInterface || !is_mode) return refuse(kInvalidControl);
  const bool commit = setup.value == kCommit;
  return set ? set_mode(commit, data) : get_mode(setup.request, commit ? committed_ : probed_);
}

void VideoControl::reset() {
  const PictureControls kept = controls_;
  *this = VideoControl(transfers_, std::move(offer_));
  controls_ = kept;
}

ControlReply VideoControl::picture_control(const SetupPacket& setup, std::span<const std::byte> data, bool set) {
  const auto selector = static_cast<std::uint8_t>(setup.value >> 8);
  if ((setup.value & 0xff) != 0 || !PictureControls::has(selector)) return refuse(kInvalidControl);
  if (set) return controls_.set(selector, data) ? accepted() : refuse(kValueOutOfRange);
  auto answer = controls_.get(setup.request, selector);
  return answer ? accepted(std::move(*answer)) : refuse(kInvalidRequest);
}

ControlReply VideoControl::refuse(std::uint8_t code) {
  error_ = code;
  return {};
}

ControlReply VideoControl::error_code(std::uint8_t request) {
  switch (request) {
    case kGetCurrent: return accepted({std::byte{std::exchange(error_, std::uint8_t{0})}});
    case kGetInfo: return accepted({kCanGet});
    default: return refuse(kInvalidRequest);
  }
}

/// The nearest mode that the camera has.
VideoMode VideoControl::nearest_mode(std::span<const std::byte> data) const {
  VideoMode mode = offer_.usual();
  if (data[kFormatAt] == std::byte{2}) mode.format = PictureFormat::mjpeg;
  const auto frame = std::to_integer<std::uint8_t>(data[kFrameAt]);
  if (frame >= 1 && frame <= offer_.sizes_of(mode.format).size()) mode.frame = frame;
  const std::uint32_t interval = number_at(data, kIntervalAt);
  if (interval != 0) mode.interval = nearest_interval(interval);  // 0: the guest has no wish
  return mode;
}

ControlReply VideoControl::get_mode(std::uint8_t request, const VideoMode& current) {
  const auto last_frame = static_cast<std::uint8_t>(offer_.sizes_of(current.format).size());
  switch (request) {
    case kGetCurrent: return accepted(write(current));
    case kGetMin: return accepted(write({current.format, 1, kIntervals.front()}));
    case kGetMax: return accepted(write({current.format, last_frame, kIntervals.back()}));
    case kGetDefault: return accepted(write(offer_.usual()));
    case kGetLength: return accepted({std::byte{kModeLength}, std::byte{0}});
    case kGetInfo: return accepted({kCanGetAndSet});
    default: return refuse(kInvalidRequest);
  }
}

ControlReply VideoControl::set_mode(bool commit, std::span<const std::byte> data) {
  if (data.size() != kModeLength) return refuse(kValueOutOfRange);
  const VideoMode mode = nearest_mode(data);
  if (!commit) {
    probed_ = mode;
    return accepted();
  }
  const bool as_it_is = data[kFormatAt] == static_cast<std::byte>(mode.format) &&
                        data[kFrameAt] == std::byte{mode.frame} && number_at(data, kIntervalAt) == mode.interval;
  if (!as_it_is) return refuse(kValueOutOfRange);
  probed_ = committed_ = mode;
  ++commits_;
  return accepted();
}

std::vector<std::byte> VideoControl::write(const VideoMode& mode) const {
  std::vector<std::byte> bytes(kModeLength);
  bytes[kFormatAt] = static_cast<std::byte>(mode.format);
  bytes[kFrameAt] = std::byte{mode.frame};
  put_number(bytes, kIntervalAt, mode.interval);
  const std::uint32_t most_bytes = offer_.most_bytes(mode);
  put_number(bytes, kPictureBytesAt, most_bytes);
  put_number(bytes, kPayloadBytesAt, longest_payload(mode.interval, most_bytes, transfers_));
  return bytes;
}

}  // namespace usbloop::device_sim
