#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "device-sim/network/ethernet.h"
#include "usbredir/transfer_reply.h"

namespace usbloop::device_sim {

// Frames on the bulk endpoints of CDC-ECM: nothing stands between them, and a packet that is not full ends one. A frame
// of full packets alone has an empty packet behind it.

/// Puts the frames together that a guest sends.
class FrameCollector {
 public:
  /// `packet`: bytes that the endpoint's packet holds.
  explicit FrameCollector(std::size_t packet) : packet_(packet) {}

  /// The data of the next transfer. The frame that ends with it, if one does: valid until the next call. One that is
  /// too long or too short to be one is dropped whole.
  std::optional<std::span<const std::byte>> add(std::span<const std::byte> data);
  /// Forgets a frame that has begun.
  void clear();

  /// Frames that were dropped since the beginning.
  [[nodiscard]] std::uint32_t dropped() const { return dropped_; }

 private:
  const std::size_t packet_;
  network::Frame frame_;
  bool has_ended_ = true;  ///< nothing of the next frame has come
  bool is_too_long_ = false;
  std::uint32_t dropped_ = 0;
};

/// Takes a frame apart that a guest reads.
class FrameDivider {
 public:
  explicit FrameDivider(std::size_t packet) : packet_(packet) {}

  /// Nothing of a frame is left to read.
  [[nodiscard]] bool is_done() const { return !is_begun_; }
  /// When it is done: the next frame.
  void begin(network::Frame frame);
  /// When it is not done: what goes into the guest's room next. Babble, and the end of this frame, when a packet does
  /// not fit into what is left of the room.
  usbredir::InReply take(std::span<std::byte> room);
  void clear() { is_begun_ = false; }

 private:
  const std::size_t packet_;
  network::Frame frame_;
  std::size_t taken_ = 0;
  bool is_begun_ = false;
};

}  // namespace usbloop::device_sim
