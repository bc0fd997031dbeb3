#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "usbredir/host_end.h"
#include "usbredir/parser.h"
#include "usbredir/test_support.h"

// The other end of a redirection for tests; no part of the library.
namespace usbloop::device_sim::test {

struct Reply {
  std::uint64_t id = 0;
  std::uint8_t status = 0;
  std::vector<std::byte> data;
  std::size_t length = 0;    ///< bulk: as the header has it
  std::uint32_t stream = 0;  ///< bulk
};

/// The usb-guest side: what QEMU does at the other end.
struct Guest : usbredir::PacketHandler {
  explicit Guest(std::vector<int> capabilities = usbredir::kUsualCapabilities) : parser(options(capabilities), *this) {}

  static usbredir::ParserOptions options(const std::vector<int>& capabilities) {
    usbredir::ParserOptions result;
    result.side = usbredir::Side::usb_guest;
    result.capabilities = capabilities;
    return result;
  }

  void on_device_connect(const usb_redir_device_connect_header& header) override {
    connect = header;
    events.emplace_back("connect");
  }
  void on_device_disconnect() override { events.emplace_back("disconnect"); }
  void on_ep_info(const usb_redir_ep_info_header& header) override {
    endpoints = header;
    events.emplace_back("ep_info");
  }
  void on_interface_info(const usb_redir_interface_info_header& header) override {
    interfaces = header;
    events.emplace_back("interface_info");
  }
  void on_configuration_status(std::uint64_t id, const usb_redir_configuration_status_header& header) override {
    events.push_back("configuration " + std::to_string(header.configuration));
    replies.push_back({id, header.status, {}});
  }
  void on_alt_setting_status(std::uint64_t id, const usb_redir_alt_setting_status_header& header) override {
    replies.push_back({id, header.status, {std::byte{header.alt}}});
  }
  void on_interrupt_receiving_status(std::uint64_t id,
                                     const usb_redir_interrupt_receiving_status_header& header) override {
    replies.push_back({id, header.status, {}});
  }
  void on_iso_stream_status(std::uint64_t id, const usb_redir_iso_stream_status_header& header) override {
    replies.push_back({id, header.status, {}});
  }
  void on_bulk_streams_status(std::uint64_t id, const usb_redir_bulk_streams_status_header& header) override {
    replies.push_back({id, header.status, {std::byte{static_cast<std::uint8_t>(header.no_streams)}}});
  }
  void on_bulk_receiving_status(std::uint64_t id, const usb_redir_bulk_receiving_status_header& header) override {
    replies.push_back({id, header.status, {}});
  }
  void on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) override {
    replies.push_back({id, header.status, {data.bytes().begin(), data.bytes().end()}});
  }
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) override {
    const std::size_t length = header.length | std::size_t{header.length_high} << 16;
    replies.push_back({id, header.status, {data.bytes().begin(), data.bytes().end()}, length, header.stream_id});
  }
  void on_buffered_bulk(std::uint64_t id, const usb_redir_buffered_bulk_packet_header& header,
                        usbredir::Payload data) override {
    buffered.push_back({id, header.status, {data.bytes().begin(), data.bytes().end()}, header.length});
  }
  void on_interrupt(std::uint64_t id, const usb_redir_interrupt_packet_header& header,
                    usbredir::Payload data) override {
    interrupts.push_back({id, header.status, {data.bytes().begin(), data.bytes().end()}, header.length});
  }
  void on_iso(std::uint64_t, const usb_redir_iso_packet_header& header, usbredir::Payload data) override {
    CHECK(header.length == data.size());
    isochronous.emplace_back(data.bytes().begin(), data.bytes().end());
  }

  usbredir::Parser parser;
  std::vector<std::string> events;
  std::vector<Reply> replies;
  std::vector<std::vector<std::byte>> isochronous;  ///< the data of each packet
  std::vector<Reply> interrupts;
  std::vector<Reply> buffered;
  usb_redir_device_connect_header connect{};
  usb_redir_ep_info_header endpoints{};
  usb_redir_interface_info_header interfaces{};
};

/// Carries the bytes between `host` and `guest` until both have said all.
inline void exchange(usbredir::HostEnd& host, Guest& guest) {
  using usbredir::test::drain;
  while (!host.pending().empty() || !guest.parser.pending().empty()) {
    REQUIRE(guest.parser.feed(drain(host)));
    const auto bytes = drain(guest.parser);
    for (std::size_t at = 0; at < bytes.size();) {
      const auto taken = host.receive(std::span(bytes).subspan(at));
      REQUIRE(taken);
      at += *taken;
      if (at < bytes.size()) REQUIRE(guest.parser.feed(drain(host)));
    }
  }
}

}  // namespace usbloop::device_sim::test
