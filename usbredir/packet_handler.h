#pragma once

#include <usbredirparser.h>

#include <cstdint>
#include <string_view>

#include "usbredir/payload.h"

namespace usbloop::usbredir {

/// Receives the packets of the peer, one call each, from within Parser::feed(). What is not overridden is dropped. The
/// headers live as long as the call. The packets are those of usb-redirection-protocol.md of usbredir;
/// libusbredirparser lets only those through that the peer's side may send.
class PacketHandler {
 public:
  virtual ~PacketHandler() = default;

  virtual void on_hello(std::string_view /*version*/) {}

  // From the usb-guest side to the usb-host side.
  virtual void on_reset() {}
  virtual void on_set_configuration(std::uint64_t, const usb_redir_set_configuration_header&) {}
  virtual void on_get_configuration(std::uint64_t) {}
  virtual void on_set_alt_setting(std::uint64_t, const usb_redir_set_alt_setting_header&) {}
  virtual void on_get_alt_setting(std::uint64_t, const usb_redir_get_alt_setting_header&) {}
  virtual void on_start_iso_stream(std::uint64_t, const usb_redir_start_iso_stream_header&) {}
  virtual void on_stop_iso_stream(std::uint64_t, const usb_redir_stop_iso_stream_header&) {}
  virtual void on_start_interrupt_receiving(std::uint64_t, const usb_redir_start_interrupt_receiving_header&) {}
  virtual void on_stop_interrupt_receiving(std::uint64_t, const usb_redir_stop_interrupt_receiving_header&) {}
  virtual void on_alloc_bulk_streams(std::uint64_t, const usb_redir_alloc_bulk_streams_header&) {}
  virtual void on_free_bulk_streams(std::uint64_t, const usb_redir_free_bulk_streams_header&) {}
  virtual void on_start_bulk_receiving(std::uint64_t, const usb_redir_start_bulk_receiving_header&) {}
  virtual void on_stop_bulk_receiving(std::uint64_t, const usb_redir_stop_bulk_receiving_header&) {}
  virtual void on_cancel_data_packet(std::uint64_t) {}
  virtual void on_filter_reject() {}
  virtual void on_device_disconnect_ack() {}

  // From the usb-host side to the usb-guest side.
  virtual void on_device_connect(const usb_redir_device_connect_header&) {}
  virtual void on_device_disconnect() {}
  virtual void on_interface_info(const usb_redir_interface_info_header&) {}
  virtual void on_ep_info(const usb_redir_ep_info_header&) {}
  virtual void on_configuration_status(std::uint64_t, const usb_redir_configuration_status_header&) {}
  virtual void on_alt_setting_status(std::uint64_t, const usb_redir_alt_setting_status_header&) {}
  virtual void on_iso_stream_status(std::uint64_t, const usb_redir_iso_stream_status_header&) {}
  virtual void on_interrupt_receiving_status(std::uint64_t, const usb_redir_interrupt_receiving_status_header&) {}
  virtual void on_bulk_streams_status(std::uint64_t, const usb_redir_bulk_streams_status_header&) {}
  virtual void on_bulk_receiving_status(std::uint64_t, const usb_redir_bulk_receiving_status_header&) {}

  // Both ways. The data of the packets is bounded by the parser's limits.
  virtual void on_control(std::uint64_t, const usb_redir_control_packet_header&, Payload) {}
  virtual void on_bulk(std::uint64_t, const usb_redir_bulk_packet_header&, Payload) {}
  virtual void on_iso(std::uint64_t, const usb_redir_iso_packet_header&, Payload) {}
  virtual void on_interrupt(std::uint64_t, const usb_redir_interrupt_packet_header&, Payload) {}
  virtual void on_buffered_bulk(std::uint64_t, const usb_redir_buffered_bulk_packet_header&, Payload) {}
};

}  // namespace usbloop::usbredir
