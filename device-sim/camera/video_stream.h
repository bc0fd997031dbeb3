#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/repeated_error.h"
#include "device-sim/camera/picture_source.h"
#include "device-sim/camera/video_mode.h"
#include "device-sim/emulation/alarm.h"
#include "device-sim/emulation/device.h"

namespace usbloop::device_sim {

/// Pictures by the clock, cut into payloads (UVC 1.0, 2.4.3). A picture that nobody fetched in time is left out, and
/// the next one has the next number: what is missing in a guest got lost on the way.
class VideoStream {
 public:
  /// `interval` as VideoMode has it.
  void start(std::unique_ptr<PictureSource> source, std::uint32_t interval, Time now);
  /// From the next picture on; kept when streaming stops.
  void set_tone(const Tone& tone) { tone_ = tone; }
  void stop();
  [[nodiscard]] bool is_on() const { return picture_.has_value(); }

  void advance(Time now) { now_ = now; }
  /// When the next picture is due; nothing while one is on its way, and when it waits to be fetched.
  [[nodiscard]] std::optional<Time> due() const;

  /// A bulk transfer. Payloads of kBulkPayload bytes or less; a transfer ends with a payload, and a payload may span
  /// transfers.
  InReply bulk(std::span<std::byte> room);

  /// One payload of at most `room.size()` bytes, which has place for the header; a header alone between pictures.
  std::size_t isochronous(std::span<std::byte> room);

 private:
  struct Picture {
    std::unique_ptr<PictureSource> source;
    std::vector<std::byte> bytes;  ///< as it is sent
    std::chrono::nanoseconds interval;
    Time start;
    Time next;             ///< when the next one is due
    std::size_t at;        ///< what of bytes is in payloads
    std::uint32_t number;  ///< of the next one
    bool toggle = false;   ///< the frame id bit: changes with each picture
  };

  bool begin_picture();
  Result<> make(Picture& picture) const;
  bool begin_payload(std::size_t longest);
  std::size_t read(std::span<std::byte> room);

  std::optional<Picture> picture_;
  Tone tone_;
  RepeatedError errors_;  ///< of the source
  Time now_;
  std::array<std::byte, kPayloadHeader> header_{};
  std::size_t header_left_ = 0;  ///< bytes of the payload's header that are not sent yet
  std::size_t data_left_ = 0;    ///< and of its data
  bool owes_end_ = false;        ///< a payload shorter than the longest ended with a transfer: an empty one ends it
};

}  // namespace usbloop::device_sim
