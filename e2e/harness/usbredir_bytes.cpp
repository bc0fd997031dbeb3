#include "e2e/harness/usbredir_bytes.h"

namespace usbloop::e2e {
namespace {

constexpr std::size_t kHelloHeader = 12;  // its id has 32 bits: nothing is agreed on yet
constexpr std::size_t kHeader = 16;

void append_little_endian(std::string& text, std::uint64_t value, int bytes) {
  for (int byte = 0; byte < bytes; ++byte) text += static_cast<char>((value >> (8 * byte)) & 0xff);
}

std::uint64_t read_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = (value << 8U) | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

}  // namespace

std::string qemu_hello() {
  std::string bytes;
  append_little_endian(bytes, usbredir_hello, 4);
  append_little_endian(bytes, 64 + 4, 4);
  append_little_endian(bytes, 0, 4);
  std::string version = "qemu usb-redir guest 7.2.22";
  version.resize(64, '\0');
  bytes += version;
  append_little_endian(bytes, 0xff, 4);
  return bytes;
}

std::string usbredir_packet(std::uint32_t type, std::uint64_t id, std::string_view body) {
  std::string bytes;
  append_little_endian(bytes, type, 4);
  append_little_endian(bytes, body.size(), 4);
  append_little_endian(bytes, id, 8);
  return bytes.append(body);
}

std::string get_device_descriptor(std::uint64_t id) {
  // struct usb_redir_control_packet_header: endpoint, request, requesttype, status, value, index, length.
  std::string body = {'\x80', '\x06', '\x80', '\0'};
  append_little_endian(body, 0x0100, 2);
  append_little_endian(body, 0, 2);
  append_little_endian(body, 18, 2);
  return usbredir_packet(usbredir_control, id, body);
}

std::string bulk_answer(std::string_view data) { return bulk_request(0x81, 1, data.size(), data); }

std::string bulk_request(std::uint8_t endpoint, std::uint64_t id, std::size_t length, std::string_view data) {
  // struct usb_redir_bulk_packet_header: endpoint, status, length, stream_id, length_high.
  std::string body = {static_cast<char>(endpoint), '\0'};
  append_little_endian(body, length & 0xffff, 2);
  append_little_endian(body, 0, 4);
  append_little_endian(body, length >> 16U, 2);
  return usbredir_packet(usbredir_bulk, id, body.append(data));
}

std::vector<UsbredirPacket> usbredir_packets(std::string_view stream) {
  std::vector<UsbredirPacket> packets;
  std::size_t header = kHelloHeader;
  while (stream.size() >= header) {
    const auto length = static_cast<std::size_t>(read_little_endian(stream.substr(4, 4)));
    if (stream.size() - header < length) break;
    packets.push_back({.type = static_cast<std::uint32_t>(read_little_endian(stream.substr(0, 4))),
                       .id = read_little_endian(stream.substr(8, header - 8)),
                       .body = std::string(stream.substr(header, length))});
    stream.remove_prefix(header + length);
    header = kHeader;
  }
  return packets;
}

}  // namespace usbloop::e2e
