#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/translation/slow_host.h"
#include "client/translation/translated_host.h"
#include "device-sim/emulation/emulated_host.h"
#include "device-sim/emulation/guest_double.h"
#include "device-sim/storage/stick.h"
#include "device-sim/storage/test_support.h"
#include "uas/pipes.h"
#include "uas/test_support.h"

// For tests only.
namespace usbloop::client::testing {

namespace sim = device_sim::test;

inline std::vector<int> capabilities_with_streams() {
  std::vector<int> capabilities(usbredir::kUsualCapabilities);
  capabilities.push_back(usb_redir_cap_bulk_streams);
  return capabilities;
}

/// Shares a store, which outlives the stick that is pulled out.
class SharedStore final : public device_sim::BlockStore {
 public:
  explicit SharedStore(device_sim::BlockStore& store) : store_(store) {}
  [[nodiscard]] std::uint64_t size() const override { return store_.size(); }
  [[nodiscard]] bool read_only() const override { return store_.read_only(); }
  Result<> read(std::uint64_t offset, std::span<std::byte> into) override { return store_.read(offset, into); }
  Result<> write(std::uint64_t offset, std::span<const std::byte> from) override { return store_.write(offset, from); }
  Result<> flush() override { return store_.flush(); }

 private:
  device_sim::BlockStore& store_;
};

/// A stick whose status wrappers are tampered with: `fault` says how, for the next one.
class FaultyStick final : public device_sim::Device {
 public:
  enum class Fault { none, wrong_tag, wrong_signature, phase_error, residue, empty_before, stalls, dies, short_status };

  explicit FaultyStick(device_sim::BlockStore& store, usbredir::Speed speed = usbredir::Speed::high)
      : stick_(std::make_unique<SharedStore>(store), options_at(speed)), descriptors_(stick_.descriptors()) {}

  /// What its interface says that it speaks.
  void set_protocol(std::uint8_t protocol) { descriptors_.configuration.at(9 + 7) = std::byte{protocol}; }

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return stick_.description(); }
  [[nodiscard]] const device_sim::DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override {
    ++bus_resets;
    stick_.reset();
  }
  device_sim::ControlReply request(const device_sim::SetupPacket& setup, std::span<const std::byte> data) override {
    if (setup.request == 0xfe && several_units) return {usbredir::TransferStatus::success, {std::byte{3}}};
    if (setup.request == 0xff) ++transport_resets;
    if (setup.request == 0xff && refuses_reset) return {};
    return stick_.request(setup, data);
  }
  device_sim::OutReply out(device_sim::Pipe pipe, std::span<const std::byte> data) override {
    if (fault == Fault::dies) return device_sim::OutReply::failed(usbredir::TransferStatus::io_error);
    return stick_.out(pipe, data);
  }
  device_sim::InReply in(device_sim::Pipe pipe, std::span<std::byte> room) override {
    const bool is_status = room.size() == 13 && fault != Fault::none;
    if (is_status && fault == Fault::stalls) {
      fault = Fault::none;
      return device_sim::InReply::stall();
    }
    if (is_status && fault == Fault::empty_before) {
      fault = Fault::none;
      return device_sim::InReply::data(0);
    }
    device_sim::InReply reply = stick_.in(pipe, room);
    if (!is_status || reply.kind != device_sim::InReply::Kind::data) return reply;
    const Fault now = std::exchange(fault, Fault::none);
    if (now == Fault::wrong_signature) room[0] = std::byte{0};
    if (now == Fault::wrong_tag) room[4] ^= std::byte{1};
    if (now == Fault::residue) room[8] = std::byte{100};
    if (now == Fault::phase_error) room[12] = std::byte{2};
    if (now == Fault::short_status) reply.size = 12;
    return reply;
  }
  bool clear_halt(std::uint8_t endpoint) override { return stick_.clear_halt(endpoint); }
  Result<> flush() override { return stick_.flush(); }

  Fault fault = Fault::none;
  bool refuses_reset = false;
  bool several_units = false;
  int bus_resets = 0;
  int transport_resets = 0;

 private:
  static device_sim::StorageOptions options_at(usbredir::Speed speed) {
    auto options = device_sim::Stick::defaults();
    options.speed = speed;
    return options;
  }

  device_sim::Stick stick_;
  device_sim::DescriptorSet descriptors_;
};

/// A stick, its translation, and a guest with a cable to it.
struct TranslatedDesk {
  explicit TranslatedDesk(std::unique_ptr<device_sim::Device> stick, bool streams = true)
      : guest(streams ? capabilities_with_streams() : std::vector<int>(usbredir::kUsualCapabilities)) {
    auto made = device_sim::EmulatedHost::make(std::move(stick));
    REQUIRE(made);
    auto held = std::make_unique<SlowHost>(std::move(*made));
    slow = held.get();
    host = std::make_unique<TranslatedHost>(std::move(held));
  }
  explicit TranslatedDesk(device_sim::BlockStore& store, bool streams = true)
      : TranslatedDesk(
            std::make_unique<device_sim::Stick>(std::make_unique<SharedStore>(store), device_sim::Stick::defaults()),
            streams) {}

  void exchange() {
    host->look();
    sim::exchange(*host, guest);
  }

  /// As a guest with the driver `uas` begins.
  void attach() {
    exchange();
    guest.parser.send_reset();
    guest.parser.send(1, usb_redir_set_configuration_header{1});
    guest.parser.send(2, usb_redir_set_alt_setting_header{0, 1});
    guest.parser.send(3, usb_redir_alloc_bulk_streams_header{1U << 2 | 1U << 17 | 1U << 19, 16});
    exchange();
    for (const sim::Reply& reply : guest.replies) {
      if (reply.id <= 3) REQUIRE(reply.status == usb_redir_success);
    }
    guest.replies.clear();
  }

  std::uint64_t in(std::uint8_t endpoint, std::size_t size, std::uint32_t stream) {
    guest.parser.send(++id, header(endpoint, size, stream));
    return id;
  }
  std::uint64_t out(std::uint8_t endpoint, std::span<const std::byte> data, std::uint32_t stream = 0) {
    guest.parser.send(++id, header(endpoint, data.size(), stream), data);
    return id;
  }
  static usb_redir_bulk_packet_header header(std::uint8_t endpoint, std::size_t size, std::uint32_t stream) {
    return {endpoint, 0, static_cast<std::uint16_t>(size), stream, static_cast<std::uint16_t>(size >> 16)};
  }
  std::uint64_t status(std::uint16_t tag) { return in(uas::kStatusEndpoint, 112, tag); }
  void command(std::uint16_t tag, const std::vector<std::uint8_t>& block) {
    out(uas::kCommandEndpoint, uas::test::command_unit(tag, block));
  }

  /// The answer to a transfer; null while it waits.
  const sim::Reply* reply(std::uint64_t wanted) {
    exchange();
    for (const sim::Reply& each : guest.replies) {
      if (each.id == wanted) return &each;
    }
    return nullptr;
  }
  /// "0", "2/5/20/0" (status, sense) of a status unit, "response 0", "-" while it waits.
  std::string outcome(std::uint64_t request) {
    const sim::Reply* const answer = reply(request);
    if (answer == nullptr) return "-";
    const auto at = [&](std::size_t index) {
      char text[4];
      std::snprintf(text, sizeof text, "%x", std::to_integer<unsigned>(answer->data.at(index)));
      return std::string(text);
    };
    if (at(0) == "4") return "response " + at(7);
    if (at(6) == "0") return "0";
    return at(6) + "/" + at(18) + "/" + at(28) + "/" + at(29);
  }

  sim::Guest guest;
  SlowHost* slow = nullptr;
  std::unique_ptr<TranslatedHost> host;
  std::uint64_t id = 100;
};

}  // namespace usbloop::client::testing
