#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "device-sim/emulation/emulated_host.h"
#include "usbredir/descriptors.h"
#include "usbredir/parser.h"

// A guest that does anything in any order, for tests; no part of the library.
namespace usbloop::device_sim::test {

/// Keeps account of what it has asked and of what was answered. Its time is its own: see time().
class ChanceGuest : private usbredir::PacketHandler {
 public:
  /// `device` must outlive it. `bits`: the guest has capability N of usbredir where bit N is set.
  ChanceGuest(Device& device, std::uint32_t bits, std::uint32_t seed);

  /// One act: a request, a transfer, a cancel, a setting, a stream, a reset, or some time that passes; right ones and
  /// wrong ones.
  void act();
  /// The device is configured anew and its descriptor asked for. The answer; empty: none came.
  std::vector<std::byte> descriptor();
  /// Takes the device away.
  void disconnect();

  [[nodiscard]] bool has_ended() const { return is_final(host_->state()); }
  [[nodiscard]] usbredir::HostState state() const { return host_->state(); }
  [[nodiscard]] std::size_t answers() const { return answers_; }
  /// Answers to nothing, answers twice, and answers that are longer than what was asked for.
  [[nodiscard]] std::size_t wrong() const { return wrong_; }

 private:
  using Random = std::mt19937;
  void on_device_disconnect() override { is_gone_ = true; }
  void on_configuration_status(std::uint64_t id, const usb_redir_configuration_status_header&) override { count(id); }
  void on_alt_setting_status(std::uint64_t id, const usb_redir_alt_setting_status_header&) override { count(id); }
  void on_iso_stream_status(std::uint64_t id, const usb_redir_iso_stream_status_header&) override { count(id); }
  void on_interrupt_receiving_status(std::uint64_t id, const usb_redir_interrupt_receiving_status_header&) override {
    count(id);
  }
  void on_bulk_streams_status(std::uint64_t id, const usb_redir_bulk_streams_status_header&) override { count(id); }
  void on_bulk_receiving_status(std::uint64_t id, const usb_redir_bulk_receiving_status_header&) override { count(id); }
  void on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) override;
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) override;
  void on_interrupt(std::uint64_t id, const usb_redir_interrupt_packet_header& header, usbredir::Payload) override {
    if ((header.endpoint & 0x80) == 0) count(id);
  }

  void count(std::uint64_t id);
  void carry();
  std::uint64_t ask();
  std::uint32_t chance(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(chance(256)); }
  std::uint8_t any_endpoint();
  std::vector<std::byte> any_data();
  void act_control();
  void act_bulk();
  void act_setting();
  void act_stream();

  std::unique_ptr<EmulatedHost> host_;
  usbredir::Parser parser_;
  Random random_;
  std::vector<std::uint8_t> endpoints_ = {0, 0x80};
  std::uint64_t id_ = 10;
  std::set<std::uint64_t> asked_;  ///< and not answered yet
  std::vector<std::byte> last_control_;
  std::size_t answers_ = 0, wrong_ = 0;
  bool is_gone_ = false;
};

}  // namespace usbloop::device_sim::test
