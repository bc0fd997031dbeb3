#include "device-sim/recording.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "usbredir/capture/reader.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

using capture::Event;
using capture::Urb;
using std::chrono::microseconds;
using usbredir::TransferType;
namespace urb_status = capture::urb_status;

constexpr std::uint8_t kGetDescriptorRequest = 6, kTypeMask = 0x60;
constexpr std::uint64_t kMostTransfers = std::uint64_t{1} << 22;

auto refuse_recording(std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, "replay", "the recording", std::move(cause), std::move(hint));
}

std::string at_record(std::uint64_t number) { return "record " + std::to_string(number) + " "; }

SetupPacket setup_of(const capture::Setup& bytes) {
  const auto word = [&](std::size_t at) { return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8); };
  return {bytes[0], bytes[1], word(2), word(4), word(6)};
}

TransferStatus transfer_status(std::int32_t status) {
  switch (status) {
    case urb_status::kSuccess:
    case -121: return TransferStatus::success;  // EREMOTEIO: short, where Linux was asked to mind
    case urb_status::kStall: return TransferStatus::stall;
    case urb_status::kOverflow: return TransferStatus::babble;
    case urb_status::kTimeout: return TransferStatus::timeout;
    case urb_status::kInvalid: return TransferStatus::invalid;
    default: return TransferStatus::io_error;
  }
}

/// The guest gave it up, or the session was over.
bool was_given_up(std::int32_t status) {
  constexpr std::int32_t kConnectionReset = -104, kShutdown = -108, kCancelled = -2;
  return status == kCancelled || status == kConnectionReset || status == kShutdown;
}

std::optional<usbredir::Speed> speed_of_bits(std::uint64_t bits) {
  using usbredir::Speed;
  if (bits == 0) return std::nullopt;
  if (bits < 12'000'000) return Speed::low;
  if (bits < 480'000'000) return Speed::full;
  return bits < 5'000'000'000 ? Speed::high : Speed::super;
}

/// Goes through the records of one device.
class Collector {
 public:
  explicit Collector(std::size_t room) : room_(room) {}

  Result<> take(std::uint64_t number, capture::Record&& record) {
    const Urb& urb = record.urb;
    if (record.lost > 0) return refuse_recording(at_record(number) + "follows a gap: the disk was too slow or full");
    if (urb.data.size() < urb.whole) {
      return refuse_recording(at_record(number) + "has not all of its data", "Record without --capture-snap.");
    }
    if (urb.comment.find("The device has the bulk streams.") != std::string::npos) {
      return refuse_recording(at_record(number) + "is of a device with bulk streams, which cannot be replayed",
                              "Record it at high speed, where it has none.");
    }
    if (urb.data.size() > room_ || ++transfers_ > kMostTransfers) return refuse_recording("it is too long");
    room_ -= urb.data.size();
    return urb.event == Event::submit ? begin(number, std::move(record.urb)) : end(number, std::move(record.urb));
  }

  Recording recording;

 private:
  struct Begun {
    Urb urb;
    std::uint64_t number = 0;
    std::size_t place = 0;  ///< of an OUT transfer, among its endpoint's
    bool is_request = false;
  };

  static bool is_request(const Urb& urb) { return urb.setup && ((*urb.setup)[0] & kTypeMask) != 0; }

  void act(microseconds time) {
    ++acts_;
    last_act_ = time;
  }

  Result<> begin(std::uint64_t number, Urb&& urb) {
    const bool is_control = urb.type == TransferType::control;
    if (urb.type == TransferType::iso && !urb.is_in()) {
      return refuse_recording(at_record(number) + "is isochronous and to the device, which cannot be replayed");
    }
    Begun begun;
    begun.number = number;
    if (is_control) {
      if (!urb.setup) return refuse_recording(at_record(number) + "is a control transfer without its request");
      begun.is_request = is_request(urb);
      if (begun.is_request) {
        act(urb.time);
        begun.place = recording.requests.size();
        recording.requests.push_back({setup_of(*urb.setup), {}, TransferStatus::io_error, number});
        if (!urb.is_in()) recording.requests.back().data = urb.data;
      }
    } else if (!urb.is_in()) {
      act(urb.time);
      auto& all = recording.transfers[urb.endpoint];
      begun.place = all.size();
      all.push_back({std::move(urb.data), TransferStatus::success, false, number, 0, microseconds(0)});
      urb.data.clear();
    }
    const std::uint64_t id = urb.id;
    begun.urb = std::move(urb);
    begun_[id] = std::move(begun);
    return {};
  }

  Result<> end(std::uint64_t number, Urb&& urb) {
    const auto found = begun_.find(urb.id);
    if (found == begun_.end()) return {};  // it began before the capture
    const Begun begun = std::move(found->second);
    begun_.erase(found);
    const bool given_up = was_given_up(urb.status);
    if (begun.urb.type == TransferType::control) {
      if (given_up) return {};
      if (begun.is_request) {
        auto& request = recording.requests[begun.place];
        request.status = transfer_status(urb.status);
        if (request.setup.is_in()) request.data = std::move(urb.data);
      } else if (urb.status == urb_status::kSuccess) {
        keep_descriptor(setup_of(*begun.urb.setup), std::move(urb.data));
      }
    } else if (!begun.urb.is_in()) {
      auto& transfer = recording.transfers[begun.urb.endpoint][begun.place];
      transfer.answered = !given_up;
      transfer.status = transfer_status(urb.status);
    } else if (begun.urb.type == TransferType::iso) {
      keep_packets(number, urb);
    } else if (!given_up) {
      keep_answer(number, begun.urb.time, std::move(urb));
    }
    return {};
  }

  void keep_descriptor(const SetupPacket& setup, std::vector<std::byte>&& data) {
    if (!setup.is_in() || setup.request != kGetDescriptorRequest) return;
    auto& kept = recording.descriptors[{setup.request_type, setup.value, setup.index}];
    if (data.size() > kept.size()) kept = std::move(data);
  }

  microseconds delay_of(std::uint8_t endpoint, microseconds asked, microseconds answered) {
    microseconds& before = last_answer_[endpoint];
    const microseconds since = std::max({asked, last_act_, before});
    before = answered;
    return std::max(answered - since, microseconds(0));
  }

  void keep_answer(std::uint64_t number, microseconds asked, Urb&& urb) {
    const auto delay = delay_of(urb.endpoint, asked, urb.time);
    recording.transfers[urb.endpoint].push_back(
        {std::move(urb.data), transfer_status(urb.status), true, number, acts_, delay});
  }

  void keep_packets(std::uint64_t number, const Urb& urb) {
    for (const capture::IsoPacket& packet : urb.packets) {
      if (was_given_up(packet.status) || packet.status == urb_status::kNotYet) continue;
      const std::size_t first = std::min<std::size_t>(packet.offset, urb.data.size());
      const std::size_t size = std::min<std::size_t>(packet.length, urb.data.size() - first);
      const auto begin = urb.data.begin() + static_cast<std::ptrdiff_t>(first);
      recording.transfers[urb.endpoint].push_back({{begin, begin + static_cast<std::ptrdiff_t>(size)},
                                                   TransferStatus::success,
                                                   true,
                                                   number,
                                                   acts_,
                                                   microseconds(0)});
    }
  }

  std::size_t room_;
  std::uint64_t transfers_ = 0;
  std::uint64_t acts_ = 0;
  microseconds last_act_{0};
  std::map<std::uint8_t, microseconds> last_answer_;
  std::unordered_map<std::uint64_t, Begun> begun_;
};

/// What a device cannot be made of.
Result<> check_recording(const Recording& recording) {
  constexpr std::size_t kDeviceSize = 18, kHead = 4;
  const char* const hint = "A recording has to begin before the device is plugged in.";
  if (recording.descriptor(usbredir::descriptor_type::kDevice).size() != kDeviceSize)
    return refuse_recording("it has no device descriptor", hint);
  const auto configuration = recording.descriptor(usbredir::descriptor_type::kConfiguration);
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(configuration[at]); };
  if (configuration.size() < kHead || configuration.size() != (byte(2) | byte(3) << 8))
    return refuse_recording("it has no whole configuration descriptor", hint);
  return {};
}

}  // namespace

std::vector<std::byte> Recording::descriptor(std::uint8_t type, std::uint16_t language, std::uint8_t index) const {
  constexpr std::uint8_t kFromDevice = 0x80;
  const auto found = descriptors.find({kFromDevice, static_cast<std::uint16_t>(type << 8 | index), language});
  return found == descriptors.end() ? std::vector<std::byte>{} : found->second;
}

Result<Recording> read_recording(std::istream& in, std::optional<std::uint8_t> device, std::size_t room) {
  capture::CaptureReader reader(in);
  Collector collector(room);
  std::optional<std::uint8_t> wanted = device;
  for (std::uint64_t number = 1;; ++number) {
    auto record = reader.next();
    if (!record) return tl::unexpected(record.error());
    if (!*record) break;
    const std::uint8_t of = (*record)->urb.device;
    if (!wanted) wanted = of;
    if (of != *wanted) continue;
    if (collector.recording.device == 0) {
      collector.recording.device = of;
      collector.recording.speed = speed_of_bits(reader.interfaces()[(*record)->interface].speed);
    }
    if (auto fine = collector.take(number, std::move(**record)); !fine) return tl::unexpected(fine.error());
  }
  if (collector.recording.device == 0) {
    const std::string which = device ? "no device " + std::to_string(*device) : "no USB transfer";
    return make_error(ErrorKind::not_found, "replay", "the recording", "it has " + which);
  }
  if (auto fine = check_recording(collector.recording); !fine) return tl::unexpected(fine.error());
  return std::move(collector.recording);
}

}  // namespace usbloop::device_sim
