#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "usbredir/capture/input_stream.h"
#include "usbredir/capture/packet_stream.h"
#include "usbredir/capture/urb.h"

namespace usbloop::capture {

/// Makes the USB transfers of a session out of the usbredir bytes of both directions. What is no transfer (a reset, an
/// unplug) becomes the comment of the next one. Every transfer that begins also ends, at the latest with end(). It
/// takes any bytes; packets that make no sense are left out. Belongs to one thread; `sink` is called from within.
class Translator {
 public:
  using Sink = std::function<void(Urb&&)>;

  /// `keep`: bytes of a packet's data that are kept at most; control transfers are always whole.
  Translator(std::size_t keep, Sink sink);

  /// The next bytes of the guest's side and of the device's, cut anywhere, in the order in which they pass.
  void from_guest(std::span<const std::byte> bytes);
  void from_device(std::span<const std::byte> bytes);

  /// The session is over: what is under way ends with ESHUTDOWN.
  void end();

 private:
  /// A transfer that has begun.
  struct Pending {
    usbredir::TransferType type = usbredir::TransferType::control;
    std::uint8_t endpoint = 0;
    bool gives_byte = false;  ///< the answer is one byte: a configuration, an alternate setting
  };

  void take_guest_packet(Packet&& packet);
  void take_guest_question(const Packet& packet);
  void take_stream_order(const Packet& packet);
  void take_guest_data(Packet&& packet);
  void take_device_packet(Packet&& packet);
  void take_device_status(const Packet& packet);
  void take_device_data(Packet&& packet);

  void begin(Urb&& urb, bool gives_byte = false);
  void begin_control(std::uint64_t id, const Setup& setup, std::vector<std::byte> data = {});
  void finish(Urb&& urb);
  void answer_byte(std::uint64_t id, std::uint8_t status, std::uint8_t value);
  void want_stream(const InputStream::Shape& shape);
  void stop_stream(std::uint8_t endpoint);
  void stream_status(std::uint8_t endpoint, std::uint8_t status);
  void stop_streams(std::int32_t status);
  void stop_all(std::int32_t status);
  void arrive(usbredir::TransferType type, std::uint8_t endpoint, std::uint8_t status, Packet&& packet);
  void note(const std::string& text);
  void emit(Urb&& urb);

  const Sink sink_;
  Capabilities capabilities_;
  PacketStream guest_;
  PacketStream device_;
  std::unordered_map<std::uint64_t, Pending> pending_;
  std::array<std::uint16_t, 32> packet_sizes_{};  ///< by usbredir's index of an endpoint
  std::array<std::optional<InputStream::Shape>, 32> wanted_;
  std::array<std::optional<InputStream>, 32> streams_;
  std::uint64_t own_ids_ = 0x8000'0000'0000'0000U;  ///< far from usbredir's, which are counted from 0
  std::string notes_;
};

}  // namespace usbloop::capture
