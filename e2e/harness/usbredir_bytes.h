#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace usbloop::e2e {

/// Packet types of usbredirproto.h that the cases speak of.
enum UsbredirType : std::uint32_t {
  usbredir_hello = 0,
  usbredir_device_connect = 1,
  usbredir_interface_info = 4,
  usbredir_ep_info = 5,
  usbredir_set_configuration = 6,
  usbredir_configuration_status = 8,
  usbredir_filter_reject = 22,
  usbredir_control = 100,
  usbredir_bulk = 101,
};

/// QEMU's hello: all capabilities, as a slot sends it when it is connected.
std::string qemu_hello();

/// A packet as it stands on the wire after both hellos (64-bit ids).
std::string usbredir_packet(std::uint32_t type, std::uint64_t id, std::string_view body);

/// A GET_DESCRIPTOR(device) request for 18 bytes.
std::string get_device_descriptor(std::uint64_t id);

/// The answer to a bulk IN request with these data.
std::string bulk_answer(std::string_view data);

/// A bulk request: of `length` bytes from the device, or with the data for it.
std::string bulk_request(std::uint8_t endpoint, std::uint64_t id, std::size_t length, std::string_view data);

struct UsbredirPacket {
  std::uint32_t type = 0;
  std::uint64_t id = 0;
  std::string body;
};

/// Cuts a stream that begins with a hello into its packets; an incomplete one at the end is left out.
std::vector<UsbredirPacket> usbredir_packets(std::string_view stream);

}  // namespace usbloop::e2e
