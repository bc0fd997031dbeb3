#include "device-sim/network/network_frames.h"

#include <algorithm>
#include <utility>

namespace usbloop::device_sim {

using usbredir::InReply;

std::optional<std::span<const std::byte>> FrameCollector::add(std::span<const std::byte> data) {
  if (has_ended_) clear();
  is_too_long_ = is_too_long_ || data.size() > network::kLongestFrame - frame_.size();
  if (!is_too_long_) frame_.insert(frame_.end(), data.begin(), data.end());
  has_ended_ = data.empty() || data.size() % packet_ != 0;
  if (!has_ended_ || (frame_.empty() && !is_too_long_)) return std::nullopt;
  if (is_too_long_ || frame_.size() < network::kFrameHead) {
    ++dropped_;
    return std::nullopt;
  }
  return frame_;
}

void FrameCollector::clear() {
  frame_.clear();
  has_ended_ = true;
  is_too_long_ = false;
}

void FrameDivider::begin(network::Frame frame) {
  frame_ = std::move(frame);
  taken_ = 0;
  is_begun_ = true;
}

InReply FrameDivider::take(std::span<std::byte> room) {
  const auto rest = std::span<const std::byte>(frame_).subspan(taken_);
  if (rest.size() > room.size() && (room.empty() || room.size() % packet_ != 0)) {
    is_begun_ = false;
    return InReply::failed(usbredir::TransferStatus::babble);
  }
  const auto part = rest.first(std::min(rest.size(), room.size()));
  std::copy(part.begin(), part.end(), room.begin());
  taken_ += part.size();
  if (part.size() < room.size() || part.size() % packet_ != 0) is_begun_ = false;
  return InReply::data(part.size());
}

}  // namespace usbloop::device_sim
