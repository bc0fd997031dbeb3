#include "device-sim/replay/replay_device.h"

#include <algorithm>
#include <utility>

#include "device-sim/replay/replay_text.h"
#include "usbredir/descriptors.h"

namespace usbloop::device_sim {
namespace {

namespace type = usbredir::descriptor_type;

}  // namespace

Result<std::unique_ptr<Device>> ReplayDevice::make(Recording recording, std::optional<usbredir::Speed> speed,
                                                   const std::string& name) {
  if (recording.speed) speed = recording.speed;
  if (!speed) {
    return make_error(ErrorKind::invalid, "replay", name, "it does not say the device's speed", "Give it: speed=high.");
  }
  return std::unique_ptr<Device>(new ReplayDevice(std::move(recording), *speed, name));
}

ReplayDevice::ReplayDevice(Recording recording, usbredir::Speed speed, const std::string& name)
    : recording_(std::move(recording)) {
  constexpr std::uint16_t kEnglish = 0x0409;
  descriptors_.device = recording_.descriptor(type::kDevice);
  descriptors_.configuration = recording_.descriptor(type::kConfiguration);
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(descriptors_.device[at]); };
  const auto word = [&](std::size_t at) { return static_cast<std::uint16_t>(byte(at) | byte(at + 1) << 8); };
  const auto text = [&](std::size_t at) {
    return byte(at) == 0 ? std::string() : string_text(recording_.descriptor(type::kString, kEnglish, byte(at)));
  };
  constexpr std::size_t kVendor = 8, kProduct = 10, kManufacturer = 14, kProductName = 15, kSerial = 16;
  description_ = {word(kVendor), word(kProduct),     speed, text(kManufacturer), text(kProductName),
                  text(kSerial), "replay of " + name};
  if (const auto configuration = usbredir::parse_configuration(descriptors_.configuration))
    exchanges_ = RecordedExchanges::take_all(recording_, *configuration);
}

RecordedExchanges* ReplayDevice::exchanges_of(std::uint8_t endpoint) {
  const auto found = std::find_if(exchanges_.begin(), exchanges_.end(),
                                  [&](const RecordedExchanges& exchanges) { return exchanges.has(endpoint); });
  return found == exchanges_.end() ? nullptr : &*found;
}

void ReplayDevice::reset() {
  asked_.clear();
  for (auto& exchanges : exchanges_) exchanges.abandon();
}

void ReplayDevice::stray(const std::string& where, const std::string& what) {
  if (trouble_) return;
  trouble_ = Error{ErrorKind::invalid, "go on with the " + description_.kind, where, what,
                   "The guest does not do what it did when this was recorded."};
}

/// The guest has done something that the device may answer. Exchanges may be more or fewer than in the recording, and
/// so nothing else waits for their number.
void ReplayDevice::count_act(std::optional<std::uint8_t> endpoint) {
  if (!endpoint || exchanges_of(*endpoint) == nullptr) ++acts_;
  last_act_ = now_;
}

/// Null: the recording has no more of this endpoint.
const RecordedTransfer* ReplayDevice::next_of(std::uint8_t endpoint) const {
  for (const auto& exchanges : exchanges_) {
    if (exchanges.has(endpoint)) return exchanges.next(endpoint);
  }
  const auto found = recording_.transfers.find(endpoint);
  if (found == recording_.transfers.end()) return nullptr;
  const auto next = next_.find(endpoint);
  const std::size_t place = next == next_.end() ? 0 : next->second;
  return place < found->second.size() ? &found->second[place] : nullptr;
}

void ReplayDevice::went_on(std::uint8_t endpoint) {
  if (auto* exchanges = exchanges_of(endpoint)) {
    exchanges->went_on();
  } else {
    ++next_[endpoint];
  }
  answered_[endpoint] = now_;
  asked_.erase(endpoint);
}

std::optional<ControlReply> ReplayDevice::meddle(const SetupPacket& setup) {
  constexpr std::uint8_t kReadDescriptor = 6, kTypeMask = 0x60;
  if ((setup.request_type & kTypeMask) != 0 || setup.request != kReadDescriptor || !setup.is_in()) return std::nullopt;
  const auto found = recording_.descriptors.find({setup.request_type, setup.value, setup.index});
  if (found == recording_.descriptors.end()) return ControlReply{};
  return ControlReply{TransferStatus::success, found->second};
}

/// A request that has been answered and only reads: it may come again.
const RecordedRequest* ReplayDevice::repeated(const SetupPacket& setup) const {
  if (!setup.is_in()) return nullptr;
  for (std::size_t at = std::min(next_request_, recording_.requests.size()); at > 0; --at) {
    const auto& request = recording_.requests[at - 1];
    if (same_setup(request.setup, setup)) return &request;
  }
  return nullptr;
}

ControlReply ReplayDevice::request(const SetupPacket& setup, std::span<const std::byte> data) {
  if (trouble_) return ControlReply::not_yet();
  const bool has_more = next_request_ < recording_.requests.size();
  const auto* expected = has_more ? &recording_.requests[next_request_] : nullptr;
  if (expected == nullptr || !same_setup(expected->setup, setup)) {
    if (const auto* again = repeated(setup)) return {again->status, again->data};
    const std::string where =
        expected == nullptr ? "behind its last request" : "at record " + std::to_string(expected->record);
    stray(where, "the guest asks for " + setup_text(setup) +
                     (expected == nullptr ? ", expected nothing more" : ", expected " + setup_text(expected->setup)));
    return ControlReply::not_yet();
  }
  if (!setup.is_in()) {
    if (const auto wrong = data_difference(expected->data, data); !wrong.empty()) {
      stray("at record " + std::to_string(expected->record), "the data of " + setup_text(setup) + " differ: " + wrong);
      return ControlReply::not_yet();
    }
  }
  constexpr std::uint8_t kToInterface = 0x21, kStorageReset = 0xff;  // usbmassbulk_10, 3.1
  if (setup.request_type == kToInterface && setup.request == kStorageReset) {
    for (auto& exchanges : exchanges_) exchanges.abandon();
  }
  ++next_request_;
  count_act();
  return {expected->status, setup.is_in() ? expected->data : std::vector<std::byte>{}};
}

/// False when the guest gives a command that the recording has no exchange for.
bool ReplayDevice::begin_exchange(std::uint8_t endpoint, std::span<const std::byte> data) {
  auto* exchanges = exchanges_of(endpoint);
  if (exchanges == nullptr) return true;
  const auto wrong = exchanges->begin(data);
  if (!wrong) return true;
  stray(wrong->record == 0 ? "behind its last command" : "at record " + std::to_string(wrong->record), wrong->what);
  return false;
}

/// A command wrapper has been compared when its exchange was found.
std::string ReplayDevice::out_difference(std::uint8_t endpoint, std::span<const std::byte> data) {
  const auto* exchanges = exchanges_of(endpoint);
  if (exchanges != nullptr && exchanges->at_command()) return {};
  return data_difference(next_of(endpoint)->data, data);
}

OutReply ReplayDevice::out(Pipe pipe, std::span<const std::byte> data) {
  if (trouble_ || !begin_exchange(pipe.endpoint, data)) return OutReply::not_yet();
  const auto* expected = next_of(pipe.endpoint);
  if (expected == nullptr) {
    stray("at " + endpoint_text(pipe.endpoint),
          "the guest writes " + std::to_string(data.size()) + " bytes, expected nothing more");
    return OutReply::not_yet();
  }
  if (const auto wrong = out_difference(pipe.endpoint, data); !wrong.empty()) {
    stray("at record " + std::to_string(expected->record),
          "what the guest writes to " + endpoint_text(pipe.endpoint) + " differs: " + wrong);
    return OutReply::not_yet();
  }
  if (!asked_.contains(pipe.endpoint)) count_act(pipe.endpoint);
  asked_.try_emplace(pipe.endpoint, now_);
  if (!expected->answered) return OutReply::not_yet();
  const auto status = expected->status;
  went_on(pipe.endpoint);
  return status == TransferStatus::success ? OutReply::taken(data.size()) : OutReply::failed(status);
}

/// As much has been asked of the device, and as much time has passed, as when it said this.
bool ReplayDevice::is_due(std::uint8_t endpoint, const RecordedTransfer& transfer) {
  const Time asked = asked_.try_emplace(endpoint, now_).first->second;
  return acts_ >= transfer.acts && now_ >= due_of(endpoint, asked, transfer);
}

Time ReplayDevice::due_of(std::uint8_t endpoint, Time asked, const RecordedTransfer& transfer) const {
  const auto answered = answered_.find(endpoint);
  return std::max({asked, last_act_, answered == answered_.end() ? asked : answered->second}) + transfer.delay;
}

InReply ReplayDevice::in(Pipe pipe, std::span<std::byte> room) {
  if (trouble_) return InReply::not_yet();
  const auto* next = next_of(pipe.endpoint);
  if (next == nullptr || !is_due(pipe.endpoint, *next)) return InReply::not_yet();
  if (next->data.size() > room.size()) {
    stray("at record " + std::to_string(next->record), "the guest asks " + endpoint_text(pipe.endpoint) + " for " +
                                                           std::to_string(room.size()) + " bytes, expected " +
                                                           std::to_string(next->data.size()) + " or more");
    return InReply::not_yet();
  }
  std::copy(next->data.begin(), next->data.end(), room.begin());
  const std::size_t size = next->data.size();
  const auto status = next->status;
  if (const auto* exchanges = exchanges_of(pipe.endpoint)) exchanges->put_tag(room.first(size));
  went_on(pipe.endpoint);
  if (status == TransferStatus::success) return InReply::data(size);
  return status == TransferStatus::stall ? InReply::stall() : InReply::failed(status);
}

std::size_t ReplayDevice::isochronous(std::uint8_t endpoint, std::span<std::byte> room) {
  const auto* next = trouble_ ? nullptr : next_of(endpoint);
  if (next == nullptr || acts_ < next->acts) return 0;
  const std::size_t size = std::min(next->data.size(), room.size());
  std::copy_n(next->data.begin(), size, room.begin());
  went_on(endpoint);
  return size;
}

/// The guest gives up what it gave up in the recording, too.
void ReplayDevice::cancelled(Pipe pipe) {
  const auto* next = next_of(pipe.endpoint);
  const bool is_out = (pipe.endpoint & 0x80) == 0;
  if (is_out && next != nullptr && !next->answered) went_on(pipe.endpoint);
  asked_.erase(pipe.endpoint);
}

std::optional<Time> ReplayDevice::due() const {
  std::optional<Time> when;
  for (const auto& [endpoint, asked] : asked_) {
    const auto* next = (endpoint & 0x80) == 0 ? nullptr : next_of(endpoint);
    if (next == nullptr || acts_ < next->acts) continue;
    const Time time = due_of(endpoint, asked, *next);
    if (time > now_ && (!when || time < *when)) when = time;
  }
  return when;
}

}  // namespace usbloop::device_sim
