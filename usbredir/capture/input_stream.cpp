#include "usbredir/capture/input_stream.h"

#include <algorithm>
#include <utility>

#include "usbredir/capture/usbmon.h"

namespace usbloop::capture {
namespace {

using usbredir::TransferType;

constexpr unsigned kMostTransfers = 64;
constexpr std::size_t kLongestGathered = 4 * 1024 * 1024;

InputStream::Shape bounded(InputStream::Shape shape) {
  shape.transfers = std::clamp(shape.transfers, 1U, kMostTransfers);
  shape.packets = std::clamp(shape.packets, 1U, static_cast<unsigned>(kMostIsoPackets));
  return shape;
}

}  // namespace

InputStream::InputStream(const Shape& shape, std::uint64_t& ids, Sink sink)
    : shape_(bounded(shape)), ids_(ids), sink_(std::move(sink)) {
  for (unsigned i = 0; i < shape_.transfers; ++i) submit();
}

Urb InputStream::next() {
  Urb urb;
  urb.type = shape_.type;
  urb.endpoint = shape_.endpoint;
  urb.id = in_flight_.front();
  urb.event = Event::complete;
  return urb;
}

void InputStream::submit() {
  Urb urb;
  urb.type = shape_.type;
  urb.endpoint = shape_.endpoint;
  urb.id = ++ids_;
  urb.status = urb_status::kInProgress;
  urb.length = shape_.length;
  if (shape_.type == TransferType::iso) {
    for (unsigned i = 0; i < shape_.packets; ++i)
      urb.packets.push_back({urb_status::kNotYet, i * shape_.length, shape_.length});
    urb.length = shape_.packets * shape_.length;
  }
  in_flight_.push_back(urb.id);
  sink_(std::move(urb));
}

void InputStream::finish(Urb&& urb) {
  in_flight_.pop_front();
  sink_(std::move(urb));
}

void InputStream::arrive(std::int32_t status, std::vector<std::byte> data, std::size_t whole) {
  if (shape_.type != TransferType::iso) {
    Urb urb = next();
    urb.status = status;
    urb.length = static_cast<std::uint32_t>(whole);
    urb.whole = whole;
    urb.data = std::move(data);
    finish(std::move(urb));
    submit();
    return;
  }
  if (gathered_.packets.empty()) gathered_ = next();
  // What is cut is cut at the end of a transfer: only then are the offsets of its packets right.
  const bool is_cut = gathered_.data.size() < gathered_.whole;
  gathered_.packets.push_back({status, static_cast<std::uint32_t>(gathered_.whole), static_cast<std::uint32_t>(whole)});
  gathered_.whole += whole;
  if (!is_cut) gathered_.data.insert(gathered_.data.end(), data.begin(), data.end());
  gathered_.length = static_cast<std::uint32_t>(gathered_.whole);
  if (gathered_.packets.size() < shape_.packets && gathered_.whole < kLongestGathered) return;
  finish(std::exchange(gathered_, {}));
  submit();
}

void InputStream::stop(std::int32_t status) {
  if (!gathered_.packets.empty()) {
    gathered_.status = status;
    finish(std::exchange(gathered_, {}));
  }
  while (!in_flight_.empty()) {
    Urb urb = next();
    urb.status = status;
    finish(std::move(urb));
  }
}

}  // namespace usbloop::capture
