#include <cstdlib>
#include <cstring>
#include <utility>

#include "usbredir/parser.h"

// The sending half of Parser. The library takes non-const pointers though it only reads, hence the copies.
namespace usbloop::usbredir {
namespace {

constexpr std::size_t kLongestHeaders = sizeof(usb_redir_header) + sizeof(usb_redir_bulk_packet_header);

std::uint8_t* raw(std::span<const std::byte> data) {
  return data.empty() ? nullptr : reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(data.data()));
}

}  // namespace

void Parser::send(const usb_redir_device_connect_header& header) {
  auto copy = header;
  usbredirparser_send_device_connect(parser_.get(), &copy);
  flush();
}

void Parser::send(const usb_redir_interface_info_header& header) {
  auto copy = header;
  usbredirparser_send_interface_info(parser_.get(), &copy);
  flush();
}

void Parser::send(const usb_redir_ep_info_header& header) {
  auto copy = header;
  usbredirparser_send_ep_info(parser_.get(), &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_configuration_status_header& header) {
  auto copy = header;
  usbredirparser_send_configuration_status(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_alt_setting_status_header& header) {
  auto copy = header;
  usbredirparser_send_alt_setting_status(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_iso_stream_status_header& header) {
  auto copy = header;
  usbredirparser_send_iso_stream_status(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_interrupt_receiving_status_header& header) {
  auto copy = header;
  usbredirparser_send_interrupt_receiving_status(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_bulk_streams_status_header& header) {
  auto copy = header;
  usbredirparser_send_bulk_streams_status(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_bulk_receiving_status_header& header) {
  auto copy = header;
  usbredirparser_send_bulk_receiving_status(parser_.get(), id, &copy);
  flush();
}

void Parser::send_device_disconnect() {
  usbredirparser_send_device_disconnect(parser_.get());
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_set_configuration_header& header) {
  auto copy = header;
  usbredirparser_send_set_configuration(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_set_alt_setting_header& header) {
  auto copy = header;
  usbredirparser_send_set_alt_setting(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_get_alt_setting_header& header) {
  auto copy = header;
  usbredirparser_send_get_alt_setting(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_start_iso_stream_header& header) {
  auto copy = header;
  usbredirparser_send_start_iso_stream(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_stop_iso_stream_header& header) {
  auto copy = header;
  usbredirparser_send_stop_iso_stream(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_start_interrupt_receiving_header& header) {
  auto copy = header;
  usbredirparser_send_start_interrupt_receiving(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_stop_interrupt_receiving_header& header) {
  auto copy = header;
  usbredirparser_send_stop_interrupt_receiving(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_alloc_bulk_streams_header& header) {
  auto copy = header;
  usbredirparser_send_alloc_bulk_streams(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_free_bulk_streams_header& header) {
  auto copy = header;
  usbredirparser_send_free_bulk_streams(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_stop_bulk_receiving_header& header) {
  auto copy = header;
  usbredirparser_send_stop_bulk_receiving(parser_.get(), id, &copy);
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_start_bulk_receiving_header& header) {
  auto copy = header;
  usbredirparser_send_start_bulk_receiving(parser_.get(), id, &copy);
  flush();
}

void Parser::send_get_configuration(std::uint64_t id) {
  usbredirparser_send_get_configuration(parser_.get(), id);
  flush();
}

void Parser::send_cancel_data_packet(std::uint64_t id) {
  usbredirparser_send_cancel_data_packet(parser_.get(), id);
  flush();
}

void Parser::send_reset() {
  usbredirparser_send_reset(parser_.get());
  flush();
}

void Parser::send_filter_reject() {
  usbredirparser_send_filter_reject(parser_.get());
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_control_packet_header& header, std::span<const std::byte> data) {
  auto copy = header;
  usbredirparser_send_control_packet(parser_.get(), id, &copy, raw(data), static_cast<int>(data.size()));
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_bulk_packet_header& header, std::span<const std::byte> data) {
  auto copy = header;
  usbredirparser_send_bulk_packet(parser_.get(), id, &copy, raw(data), static_cast<int>(data.size()));
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_iso_packet_header& header, std::span<const std::byte> data) {
  auto copy = header;
  usbredirparser_send_iso_packet(parser_.get(), id, &copy, raw(data), static_cast<int>(data.size()));
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_buffered_bulk_packet_header& header,
                  std::span<const std::byte> data) {
  auto copy = header;
  usbredirparser_send_buffered_bulk_packet(parser_.get(), id, &copy, raw(data), static_cast<int>(data.size()));
  flush();
}

void Parser::send(std::uint64_t id, const usb_redir_interrupt_packet_header& header, std::span<const std::byte> data) {
  auto copy = header;
  usbredirparser_send_interrupt_packet(parser_.get(), id, &copy, raw(data), static_cast<int>(data.size()));
  flush();
}

std::span<std::byte> BulkBuffer::room() const {
  return {reinterpret_cast<std::byte*>(buffer_.get()) + kLongestHeaders, room_};
}

std::optional<BulkBuffer> Parser::make_bulk(std::size_t size) const {
  BulkBuffer result;
  result.buffer_.reset(static_cast<std::uint8_t*>(std::malloc(kLongestHeaders + size)));
  if (!result.buffer_) return std::nullopt;
  result.room_ = size;
  return result;
}

void Parser::send_bulk(std::uint64_t id, usb_redir_bulk_packet_header header, BulkBuffer buffer, std::size_t used) {
  header.length = static_cast<std::uint16_t>(used);
  header.length_high = static_cast<std::uint16_t>(used >> 16);
  // The 16-bit form of the header only lacks length_high, its last field.
  const std::size_t type_header =
      sizeof header - (both_have(usb_redir_cap_32bits_bulk_length) ? 0 : sizeof header.length_high);
  const std::size_t headers = header_size() + type_header;
  usb_redir_header packet{usb_redir_bulk_packet, static_cast<std::uint32_t>(type_header + used), id};

  // Written backwards from the data, so that both sizes of headers need no move of it.
  std::uint8_t* const start = buffer.buffer_.get() + kLongestHeaders - headers;
  std::memcpy(start, &packet, header_size());  // a 32-bit id is the lower half of a little-endian 64-bit one
  std::memcpy(start + header_size(), &header, type_header);
  if (used < buffer.room_ / 2) {
    // A short answer must not keep the room of the long one that was asked for while it waits.
    if (void* shrunk = std::realloc(buffer.buffer_.get(), kLongestHeaders + used)) {
      (void)buffer.buffer_.release();
      buffer.buffer_.reset(static_cast<std::uint8_t*>(shrunk));
    }
  }
  output_.append(std::move(buffer.buffer_), kLongestHeaders - headers, headers + used);
}

}  // namespace usbloop::usbredir
