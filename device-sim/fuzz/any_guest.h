#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "device-sim/emulation/emulated_host.h"
#include "usbredir/parser.h"

// A guest for the fuzz targets of emulated devices; no part of the library.
namespace usbloop::device_sim::fuzz {

/// A guest that has configured a device and then does what bytes say: requests of every kind, transfers, cancels,
/// resets, isochronous streams, faults that are set meanwhile, time that passes. Aborts when a request is answered
/// twice, or a packet breaks the protocol.
class AnyGuest : private usbredir::PacketHandler {
 public:
  /// `device` is what the bytes are played at.
  explicit AnyGuest(std::unique_ptr<Device> device);

  /// Each act: one byte what, one byte with what, one byte how many bytes of data follow (64 at most).
  void play(std::span<const std::byte> input);

  void control(const SetupPacket& setup, std::span<const std::byte> data);
  void read(std::uint8_t endpoint, std::uint16_t size);
  void write(std::uint8_t endpoint, std::span<const std::byte> data);
  void select(std::uint8_t interface, std::uint8_t alternate);
  void pass(std::chrono::milliseconds time);
  void end();

 private:
  void on_control(std::uint64_t, const usb_redir_control_packet_header&, usbredir::Payload) override { count(); }
  void on_bulk(std::uint64_t, const usb_redir_bulk_packet_header&, usbredir::Payload) override { count(); }
  void count();
  void carry();
  bool act_isochronous(std::uint8_t what, std::uint8_t value, std::span<const std::byte> data);
  void act(std::uint8_t what, std::uint8_t value, std::span<const std::byte> data);
  void act_control(std::span<const std::byte> data);

  usbredir::Parser parser_;
  std::unique_ptr<EmulatedHost> host_;
  std::uint64_t id_ = 10;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace usbloop::device_sim::fuzz
