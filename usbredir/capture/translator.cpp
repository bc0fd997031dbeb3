#include "usbredir/capture/translator.h"

#include <algorithm>
#include <utility>

#include "usbredir/endpoint_table.h"

// What both directions share. translator_guest.cpp and translator_device.cpp read the packets.
namespace usbloop::capture {
namespace {

constexpr std::size_t kMostPending = 8192;
constexpr std::size_t kLongestNotes = 4096;
constexpr std::uint8_t kIn = 0x80;

}  // namespace

Translator::Translator(std::size_t keep, Sink sink)
    : sink_(std::move(sink)), guest_(capabilities_, keep), device_(capabilities_, keep) {}

void Translator::from_guest(std::span<const std::byte> bytes) {
  guest_.feed(bytes, [this](Packet&& packet) { take_guest_packet(std::move(packet)); });
}

void Translator::from_device(std::span<const std::byte> bytes) {
  device_.feed(bytes, [this](Packet&& packet) { take_device_packet(std::move(packet)); });
}

void Translator::end() { stop_all(urb_status::kShutdown); }

void Translator::emit(Urb&& urb) {
  urb.comment = std::exchange(notes_, {});
  sink_(std::move(urb));
}

/// What is no transfer is told with the next one.
void Translator::note(const std::string& text) {
  if (notes_.size() + text.size() >= kLongestNotes) return;
  if (!notes_.empty()) notes_ += '\n';
  notes_ += text;
}

void Translator::begin(Urb&& urb, bool gives_byte) {
  urb.event = Event::submit;
  urb.status = urb_status::kInProgress;
  // Who answers none of so many is not waited for; the answer is a record all the same.
  if (pending_.size() < kMostPending) pending_[urb.id] = {urb.type, urb.endpoint, gives_byte};
  emit(std::move(urb));
}

void Translator::begin_control(std::uint64_t id, const Setup& setup, std::vector<std::byte> data) {
  constexpr std::size_t kRequestType = 0, kRequest = 1, kLength = 6;
  constexpr std::uint8_t kGetConfiguration = 0x08, kGetInterface = 0x0a;
  Urb urb;
  urb.id = id;
  urb.setup = setup;
  urb.endpoint = setup[kRequestType] & kIn;
  urb.length = static_cast<std::uint32_t>(setup[kLength] | setup[kLength + 1] << 8);
  urb.whole = data.size();
  urb.data = std::move(data);
  const bool is_standard = (setup[kRequestType] & 0x60) == 0 && urb.is_in();
  const std::uint8_t request = setup[kRequest];
  begin(std::move(urb), is_standard && (request == kGetConfiguration || request == kGetInterface));
}

void Translator::finish(Urb&& urb) {
  pending_.erase(urb.id);
  urb.event = Event::complete;
  emit(std::move(urb));
}

void Translator::stop_stream(std::uint8_t endpoint) {
  const std::size_t index = usbredir::EndpointTable::index(endpoint);
  wanted_[index].reset();
  if (!streams_[index]) return;
  streams_[index]->stop(urb_status::kCancelled);
  streams_[index].reset();
}

void Translator::stop_streams(std::int32_t status) {
  for (auto& stream : streams_) {
    if (stream) stream->stop(status);
    stream.reset();
  }
  for (auto& wanted : wanted_) wanted.reset();
}

void Translator::stop_all(std::int32_t status) {
  stop_streams(status);
  std::vector<std::pair<std::uint64_t, Pending>> left(pending_.begin(), pending_.end());
  pending_.clear();
  std::sort(left.begin(), left.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [id, pending] : left) {
    Urb urb;
    urb.id = id;
    urb.type = pending.type;
    urb.endpoint = pending.endpoint;
    urb.status = status;
    finish(std::move(urb));
  }
}

}  // namespace usbloop::capture
