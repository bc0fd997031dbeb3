// Each kind of device at guests of every make: with all combinations of what usbredir can, in orders that are right and
// in orders that are not, and at one guest after the other.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "common/test_text.h"
#include "device-sim/every_device_rig.h"
#include "device-sim/every_guest.h"
#include "device-sim/storage/stick.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::ChanceGuest;
using device_sim::test::DeviceRig;
using device_sim::test::EveryDevice;
using device_sim::test::Lent;
using device_sim::test::Reply;
using usbredir::HostState;

namespace {

constexpr std::uint32_t kCombinations = 1U << 8;  // of all that usbredir has

std::vector<int> capabilities_of(std::uint32_t bits) {
  std::vector<int> capabilities;
  for (int capability = 0; capability < 8; ++capability) {
    if ((bits >> capability & 1) != 0) capabilities.push_back(capability);
  }
  return capabilities;
}

/// The capabilities that change what passes once a device is announced; the others change its beginning and its end.
constexpr std::uint32_t kOfSessions = 1U << usb_redir_cap_bulk_streams | 1U << usb_redir_cap_ep_info_max_packet_size |
                                      1U << usb_redir_cap_64bits_ids | 1U << usb_redir_cap_32bits_bulk_length |
                                      1U << usb_redir_cap_bulk_receiving;

bool has_transfers(std::uint32_t bits) { return (bits | kOfSessions) == kCombinations - 1; }

bool has(std::uint32_t bits, int capability) { return (bits >> capability & 1) != 0; }

/// A guest that does what QEMU and Linux do, with some of the capabilities.
struct OrderlyGuest : DeviceRig {
  OrderlyGuest(Device& device, std::uint32_t bits) : DeviceRig(capabilities_of(bits)) {
    plug(std::make_unique<Lent>(device));
    exchange();
  }

  template <typename Header>
  int status_of(const Header& header) {
    guest.parser.send(++id, header);
    return reply().status;
  }

  void check_endpoint(const usbredir::Endpoint& endpoint) {
    switch (endpoint.type) {
      case usbredir::TransferType::interrupt:
        if ((endpoint.address & 0x80) == 0) break;
        CHECK(status_of(usb_redir_start_interrupt_receiving_header{endpoint.address}) == usb_redir_success);
        CHECK(status_of(usb_redir_stop_interrupt_receiving_header{endpoint.address}) == usb_redir_success);
        break;
      case usbredir::TransferType::iso:
        CHECK(status_of(usb_redir_start_iso_stream_header{endpoint.address, 8, 4}) == usb_redir_success);
        CHECK(status_of(usb_redir_stop_iso_stream_header{endpoint.address}) == usb_redir_success);
        break;
      case usbredir::TransferType::bulk:
        if ((endpoint.address & 0x80) == 0) break;
        // What nobody has asked the device for waits, comes or fails; after a cancel it has been answered once.
        guest.replies.clear();
        guest.parser.send(++id, bulk(endpoint.address, 512));
        exchange();
        guest.parser.send_cancel_data_packet(id);
        exchange();
        CHECK(guest.replies.size() == 1);
        CHECK(guest.replies.front().id == id);
        break;
      default: break;
    }
  }

  /// INQUIRY by Bulk-Only.
  void check_storage() {
    constexpr std::uint8_t kInquiry[] = {0x12, 0, 0, 0, 36, 0};
    const auto outcome = [&](const std::vector<Reply>& replies) {
      REQUIRE(replies.size() == 1);
      CHECK(int{replies.front().status} == usb_redir_success);
      return replies.front().data;
    };
    control_out(0x02, 1, 0, Stick::kEndpointIn);  // CLEAR_FEATURE: the endpoint was read before its time
    control_out(0x21, 0xff, 0, 0);
    guest.replies.clear();
    outcome(bulk_out(Stick::kEndpointOut, device_sim::test::command_wrapper(kInquiry, 36, true)));
    CHECK(outcome(bulk_in(Stick::kEndpointIn, 36)).size() == 36);
    CHECK(outcome(bulk_in(Stick::kEndpointIn, 13)).back() == std::byte{0});
  }

  void check_session(const Device& device, std::uint32_t bits) {
    CHECK(guest.events == std::vector<std::string>{"ep_info", "interface_info", "connect"});
    CHECK(int{guest.connect.vendor_id} == int{device.description().vendor_id});
    CHECK(int{guest.connect.speed} == static_cast<int>(device.description().speed));
    if (has_transfers(bits)) check_transfers(device, bits);
    host->disconnect();
    exchange();
    CHECK(guest.events.back() == "disconnect");
    CHECK(host->state() == HostState::disconnected);
  }

  void check_transfers(const Device& device, std::uint32_t bits) {
    configure();
    CHECK(control_in(0x80, 6, 0x0100, 0, 18).data == device.descriptors().device);
    CHECK(control_in(0x80, 6, 0x0200, 0, 0xffff).data == device.descriptors().configuration);
    const auto configuration = usbredir::parse_configuration(device.descriptors().configuration);
    REQUIRE(configuration);
    for (const auto& setting : configuration->settings) {
      CHECK(status_of(usb_redir_set_alt_setting_header{setting.interface, setting.alternate}) == usb_redir_success);
      for (const auto& endpoint : setting.endpoints) {
        // Without the capability the packet ends before them.
        if (has(bits, usb_redir_cap_ep_info_max_packet_size)) {
          const auto index = usbredir::EndpointTable::index(endpoint.address);
          CHECK(int{guest.endpoints.max_packet_size[index]} == int{endpoint.max_packet_size});
        }
        check_endpoint(endpoint);
      }
    }
    configure();
    if (device.description().kind == "emulated stick") check_storage();
  }
};

}  // namespace

TEST_CASE("every kind of device serves a guest with every combination of usbredir's capabilities") {
  EveryDevice every;
  std::set<std::string> seen;
  for (const auto& spec : every.specs()) {
    CAPTURE(spec.kind);
    const bool is_new = seen.insert(spec.kind).second;
    if (spec.kind == "replay") continue;  // it has an order of its own
    auto device = every.make(spec);
    for (std::uint32_t bits = 0; bits < kCombinations; ++bits) {
      CAPTURE(bits);
      // A kind at another speed is announced as the one before it.
      if (is_new || has_transfers(bits)) OrderlyGuest(*device, bits).check_session(*device, bits);
    }
  }
  const std::string known = make_device({"none", {}}).error().hint;  // Known kinds: a, b, c.
  for (std::size_t at = known.find(": ") + 2; at < known.size();) {
    const auto end = known.find_first_of(",.", at);
    CHECK_MESSAGE(seen.contains(known.substr(at, end - at)), known.substr(at, end - at));
    at = end + 2;
  }
}

TEST_CASE("a guest that refuses a device is told goodbye by every kind, whatever it can") {
  EveryDevice every;
  for (const auto& spec : every.specs()) {
    CAPTURE(spec.kind);
    auto device = every.make(spec);
    for (std::uint32_t bits = 0; bits < kCombinations; ++bits) {
      if (!has(bits, usb_redir_cap_filter)) continue;
      OrderlyGuest guest(*device, bits);
      guest.guest.parser.send_filter_reject();
      guest.guest.parser.send(7, usb_redir_set_configuration_header{1});
      guest.exchange();
      CHECK(guest.host->state() == HostState::rejected);
      CHECK(guest.guest.replies.empty());
    }
  }
}

TEST_CASE("whatever guests do in whatever order, each request has one answer, and the next guest a device that works") {
  EveryDevice every;
  for (const auto& spec : every.specs()) {
    CAPTURE(spec.kind);
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      CAPTURE(seed);
      auto device = every.make(spec);
      for (std::uint32_t guest_number = 0; guest_number < 3; ++guest_number) {
        ChanceGuest guest(*device, 0xffU ^ (seed * 3 + guest_number) % 8 * 0x21U, seed * 10 + guest_number);
        for (int acts = 0; acts < 250 && !guest.has_ended(); ++acts) guest.act();
        if (!guest.has_ended()) CHECK(guest.descriptor() == device->descriptors().device);
        if (guest_number == 1) guest.disconnect();  // the others go without a word
        CHECK(guest.wrong() == 0);
        if (spec.kind == "replay") continue;  // it ends where the guest goes astray
        CHECK(guest.answers() > 20);
        CHECK(guest.state() == (guest_number == 1 ? HostState::disconnected : HostState::in_use));
      }
    }
  }
}
