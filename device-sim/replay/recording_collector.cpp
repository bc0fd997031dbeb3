#include "device-sim/replay/recording_collector.h"

#include <algorithm>
#include <utility>

#include "usbredir/capture/urb.h"

namespace usbloop::device_sim {
namespace {

using capture::Event;
using capture::Urb;
using std::chrono::microseconds;
using usbredir::TransferType;
namespace urb_status = capture::urb_status;

constexpr std::uint8_t kTypeBits = 0x60, kInBit = 0x80;
constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 22;

std::string at_record(std::uint64_t number) { return "record " + std::to_string(number) + " "; }

SetupPacket setup_of(const capture::Setup& bytes) {
  const auto word = [&](std::size_t at) { return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8); };
  return {bytes[0], bytes[1], word(2), word(4), word(6)};
}

TransferStatus transfer_status(std::int32_t status) {
  constexpr std::int32_t kShort = -121;  // EREMOTEIO, where Linux was asked to mind
  switch (status) {
    case urb_status::kSuccess:
    case kShort: return TransferStatus::success;
    case urb_status::kStall: return TransferStatus::stall;
    case urb_status::kOverflow: return TransferStatus::babble;
    case urb_status::kTimeout: return TransferStatus::timeout;
    case urb_status::kInvalid: return TransferStatus::invalid;
    default: return TransferStatus::io_error;
  }
}

/// The guest gave it up, or the session was over.
bool was_given_up(std::int32_t status) {
  constexpr std::int32_t kConnectionReset = -104;
  return status == urb_status::kCancelled || status == kConnectionReset || status == urb_status::kShutdown;
}

}  // namespace

tl::unexpected<Error> refuse_recording(std::string cause, std::string hint) {
  return make_error(ErrorKind::invalid, "replay", "the recording", std::move(cause), std::move(hint));
}

Result<> RecordingCollector::take(std::uint64_t number, capture::Record&& record) {
  const Urb& urb = record.urb;
  if (record.lost > 0) return refuse_recording(at_record(number) + "follows a gap: the disk was too slow or full");
  if (urb.data.size() < urb.whole) {
    return refuse_recording(at_record(number) + "has not all of its data", "Record without --capture-snap.");
  }
  if (urb.comment.find("The device has the bulk streams.") != std::string::npos) {
    return refuse_recording(at_record(number) + "is of a device with bulk streams, which cannot be replayed",
                            "Record it at high speed, where it has none.");
  }
  if (urb.data.size() > room_ || ++records_ > kMostRecords) return refuse_recording("it is too long");
  room_ -= urb.data.size();
  if (urb.event == Event::submit) return begin(number, std::move(record.urb));
  end(number, std::move(record.urb));
  return {};
}

/// The guest has done something that the device may answer.
void RecordingCollector::act(microseconds time) {
  ++acts_;
  last_act_ = time;
}

Result<> RecordingCollector::begin(std::uint64_t number, Urb&& urb) {
  Begun begun;
  begun.type = urb.type;
  begun.endpoint = urb.endpoint;
  begun.time = urb.time;
  if (urb.type == TransferType::control) {
    if (auto fine = begin_control(number, urb, begun); !fine) return fine;
  } else if (!urb.is_in()) {
    if (urb.type == TransferType::iso) return {};  // what a guest plays differs from time to time
    act(urb.time);
    auto& all = recording.transfers[urb.endpoint];
    begun.place = all.size();
    all.push_back({std::exchange(urb.data, {}), TransferStatus::success, false, number, 0, microseconds(0)});
  }
  begun_[urb.id] = begun;
  return {};
}

Result<> RecordingCollector::begin_control(std::uint64_t number, const Urb& urb, Begun& begun) {
  if (!urb.setup) return refuse_recording(at_record(number) + "is a control transfer without its request");
  begun.setup = setup_of(*urb.setup);
  begun.is_request = (begun.setup.request_type & kTypeBits) != 0;
  if (!begun.is_request) return {};
  act(urb.time);
  begun.place = recording.requests.size();
  recording.requests.push_back({begun.setup, {}, TransferStatus::io_error, number});
  if (!urb.is_in()) recording.requests.back().data = urb.data;
  return {};
}

void RecordingCollector::end(std::uint64_t number, Urb&& urb) {
  const auto found = begun_.find(urb.id);
  if (found == begun_.end()) return;  // it began before the capture
  const Begun begun = found->second;
  begun_.erase(found);
  const bool given_up = was_given_up(urb.status);
  if (begun.type == TransferType::control) {
    if (!given_up) end_control(begun, std::move(urb));
  } else if ((begun.endpoint & kInBit) == 0) {
    auto& transfer = recording.transfers[begun.endpoint][begun.place];
    transfer.answered = !given_up;
    transfer.status = transfer_status(urb.status);
  } else if (begun.type == TransferType::iso) {
    keep_packets(number, urb);
  } else if (!given_up) {
    urb.endpoint = begun.endpoint;
    keep_answer(number, begun.time, std::move(urb));
  }
}

void RecordingCollector::end_control(const Begun& begun, Urb&& urb) {
  if (!begun.is_request) {
    if (urb.status == urb_status::kSuccess) keep_descriptor(begun.setup, std::move(urb.data));
    return;
  }
  auto& request = recording.requests[begun.place];
  request.status = transfer_status(urb.status);
  if (request.setup.is_in()) request.data = std::move(urb.data);
}

void RecordingCollector::keep_descriptor(const SetupPacket& setup, std::vector<std::byte>&& data) {
  constexpr std::uint8_t kReadDescriptor = 6;
  if (!setup.is_in() || setup.request != kReadDescriptor) return;
  auto& kept = recording.descriptors[{setup.request_type, setup.value, setup.index}];
  if (data.size() > kept.size()) kept = std::move(data);
}

void RecordingCollector::keep_answer(std::uint64_t number, microseconds asked, Urb&& urb) {
  microseconds& before = last_answer_[urb.endpoint];
  const microseconds since = std::max({asked, last_act_, before});
  constexpr microseconds kLongest = std::chrono::hours(1);  // what a file says need not be
  const microseconds delay = std::clamp(urb.time - since, microseconds(0), kLongest);
  before = urb.time;
  recording.transfers[urb.endpoint].push_back(
      {std::move(urb.data), transfer_status(urb.status), true, number, acts_, delay});
}

void RecordingCollector::keep_packets(std::uint64_t number, const Urb& urb) {
  std::size_t left = urb.data.size();  // packets do not overlap
  for (const capture::IsoPacket& packet : urb.packets) {
    if (was_given_up(packet.status) || packet.status == urb_status::kNotYet) continue;
    const std::size_t first = std::min<std::size_t>(packet.offset, urb.data.size());
    const auto bytes =
        std::span(urb.data).subspan(first, std::min({std::size_t{packet.length}, urb.data.size() - first, left}));
    left -= bytes.size();
    recording.transfers[urb.endpoint].push_back(
        {{bytes.begin(), bytes.end()}, TransferStatus::success, true, number, acts_, microseconds(0)});
  }
}

}  // namespace usbloop::device_sim
