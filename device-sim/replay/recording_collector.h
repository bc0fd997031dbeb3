#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "device-sim/replay/recording.h"
#include "usbredir/capture/reader.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {

tl::unexpected<Error> refuse_recording(std::string cause, std::string hint = {});

/// Makes a Recording of the records of one device, given in their order.
class RecordingCollector {
 public:
  /// `room`: bytes of data that are taken at most.
  explicit RecordingCollector(std::size_t room) : room_(room) {}

  /// An Error (kind invalid) when it cannot be replayed. `number` is the record's in the file.
  Result<> take(std::uint64_t number, capture::Record&& record);

  Recording recording;

 private:
  struct Begun {
    usbredir::TransferType type = usbredir::TransferType::control;
    std::uint8_t endpoint = 0;
    SetupPacket setup = {};
    std::chrono::microseconds time{0};
    std::size_t place = 0;  ///< of an OUT transfer among its endpoint's, or of a request
    bool is_request = false;
  };

  void act(std::chrono::microseconds time);
  Result<> begin(std::uint64_t number, capture::Urb&& urb);
  Result<> begin_control(std::uint64_t number, const capture::Urb& urb, Begun& begun);
  void end(std::uint64_t number, capture::Urb&& urb);
  void end_control(const Begun& begun, capture::Urb&& urb);
  void keep_descriptor(const SetupPacket& setup, std::vector<std::byte>&& data);
  void keep_answer(std::uint64_t number, std::chrono::microseconds asked, capture::Urb&& urb);
  void keep_packets(std::uint64_t number, const capture::Urb& urb);

  std::size_t room_;
  std::uint64_t records_ = 0;
  std::uint64_t acts_ = 0;
  std::chrono::microseconds last_act_{0};
  std::map<std::uint8_t, std::chrono::microseconds> last_answer_;
  std::unordered_map<std::uint64_t, Begun> begun_;
};

}  // namespace usbloop::device_sim
