#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "device-sim/emulation/emulated_host.h"
#include "device-sim/emulation/guest_double.h"

// A device of any kind at a guest, for tests; no part of the library.
namespace usbloop::device_sim::test {

struct DeviceRig {
  explicit DeviceRig(std::unique_ptr<Device> device, EmulatedHost::Clock clock = std::chrono::steady_clock::now) {
    plug(std::move(device), clock);
  }

  void exchange() { test::exchange(*host, guest); }

  void configure() {
    exchange();
    guest.parser.send_reset();
    guest.parser.send(1, usb_redir_set_configuration_header{1});
    exchange();
    REQUIRE(guest.replies.back().status == usb_redir_success);
    guest.replies.clear();
  }

  void start_receiving(std::uint8_t endpoint) {
    guest.parser.send(++id, usb_redir_start_interrupt_receiving_header{endpoint});
    CHECK(int{reply().status} == usb_redir_success);
  }

  Reply control_in(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                   std::uint16_t length) {
    guest.parser.send(++id, usb_redir_control_packet_header{0x80, request, type, 0, value, index, length});
    return reply();
  }

  Reply control_out(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                    std::span<const std::byte> data = {}) {
    const auto length = static_cast<std::uint16_t>(data.size());
    guest.parser.send(++id, usb_redir_control_packet_header{0, request, type, 0, value, index, length}, data);
    return reply();
  }

  static usb_redir_bulk_packet_header bulk(std::uint8_t endpoint, std::size_t size) {
    return {endpoint, 0, static_cast<std::uint16_t>(size), 0, static_cast<std::uint16_t>(size >> 16)};
  }
  /// Bulk data to an endpoint, and a request for bulk data; what has been answered, of these or of earlier ones.
  std::vector<Reply> bulk_out(std::uint8_t endpoint, std::span<const std::byte> data) {
    guest.parser.send(++id, bulk(endpoint, data.size()), data);
    return answers();
  }
  std::vector<Reply> bulk_in(std::uint8_t endpoint, std::size_t size) {
    guest.parser.send(++id, bulk(endpoint, size));
    return answers();
  }
  std::vector<Reply> answers() {
    exchange();
    return std::exchange(guest.replies, {});
  }

  /// The answer to what was sent last.
  Reply reply() {
    exchange();
    REQUIRE_FALSE(guest.replies.empty());
    CHECK(guest.replies.back().id == id);
    return guest.replies.back();
  }

  /// The interrupt packets that have come since the last call.
  std::vector<Reply> interrupts() {
    exchange();
    return std::exchange(guest.interrupts, {});
  }

  Guest guest;
  std::unique_ptr<EmulatedHost> host;
  std::uint64_t id = 100;

 protected:
  /// For a rig that makes its device itself, and then calls plug().
  explicit DeviceRig(std::vector<int> capabilities = usbredir::kUsualCapabilities) : guest(std::move(capabilities)) {}

  void plug(std::unique_ptr<Device> device, EmulatedHost::Clock clock = std::chrono::steady_clock::now) {
    auto made = EmulatedHost::make(std::move(device), {}, clock);
    REQUIRE(made);
    host = std::move(*made);
  }
};

}  // namespace usbloop::device_sim::test
