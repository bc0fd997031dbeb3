#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>

#include "device-sim/control_endpoint.h"
#include "device-sim/device.h"
#include "usbredir/descriptors.h"
#include "usbredir/endpoint_table.h"
#include "usbredir/host_end.h"
#include "usbredir/parser.h"

namespace usbloop::device_sim {

/// The usb-host end of a usbredir stream whose device is emulated. Answers at once, so its output only changes from
/// within receive() and disconnect(); requests for data that does not exist yet wait in a queue per endpoint.
class EmulatedHost final : public usbredir::HostEnd, private usbredir::PacketHandler {
 public:
  /// An Error when the device's own descriptors are wrong.
  static Result<std::unique_ptr<EmulatedHost>> make(std::unique_ptr<Device> device,
                                                    usbredir::ParserOptions options = {});

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return device_->description(); }
  void set_wake(std::function<void()> wake) override;
  [[nodiscard]] bool wants_input() const override;
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override;
  [[nodiscard]] std::span<const std::byte> pending() const override { return parser_.pending(); }
  void consume(std::size_t count) override { parser_.consume(count); }
  [[nodiscard]] usbredir::HostState state() const override { return state_; }
  [[nodiscard]] Result<> outcome() const override;
  void disconnect() override;

 private:
  struct WaitingIn {
    std::uint64_t id = 0;
    usb_redir_bulk_packet_header header{};
  };
  using WaitingQueue = std::deque<WaitingIn>;

  EmulatedHost(std::unique_ptr<Device> device, usbredir::Configuration configuration,
               const usbredir::ParserOptions& options);

  void on_hello(std::string_view version) override;
  void on_reset() override;
  void on_set_configuration(std::uint64_t id, const usb_redir_set_configuration_header& header) override;
  void on_get_configuration(std::uint64_t id) override;
  void on_set_alt_setting(std::uint64_t id, const usb_redir_set_alt_setting_header& header) override;
  void on_get_alt_setting(std::uint64_t id, const usb_redir_get_alt_setting_header& header) override;
  void on_start_iso_stream(std::uint64_t id, const usb_redir_start_iso_stream_header& header) override;
  void on_start_interrupt_receiving(std::uint64_t id,
                                    const usb_redir_start_interrupt_receiving_header& header) override;
  void on_alloc_bulk_streams(std::uint64_t id, const usb_redir_alloc_bulk_streams_header& header) override;
  void on_cancel_data_packet(std::uint64_t id) override;
  void on_filter_reject() override;
  void on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) override;
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) override;
  void on_interrupt(std::uint64_t id, const usb_redir_interrupt_packet_header& header, usbredir::Payload data) override;

  bool in_use();
  void announce_endpoints();
  void forget_transfers();
  void bulk_out(std::uint64_t id, usb_redir_bulk_packet_header header, std::span<const std::byte> data);
  void bulk_in(std::uint64_t id, usb_redir_bulk_packet_header header);
  void serve_waiting();
  bool serve(const WaitingIn& request);
  void answer(std::uint64_t id, usb_redir_bulk_packet_header header, TransferStatus status);
  void end(usbredir::HostState state);

  std::unique_ptr<Device> device_;
  const usbredir::Configuration configuration_;
  usbredir::EndpointTable endpoints_;
  HaltSet halted_;
  ControlEndpoint control_;
  std::array<WaitingQueue, 32> waiting_;
  std::uint8_t configured_ = 0;
  std::size_t longest_in_;
  usbredir::HostState state_ = usbredir::HostState::waiting;
  std::optional<Error> failure_;
  usbredir::Parser parser_;  ///< last: its hello is made with all else in place
};

}  // namespace usbloop::device_sim
