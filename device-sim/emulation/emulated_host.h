#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "device-sim/emulation/alarm.h"
#include "device-sim/emulation/control_endpoint.h"
#include "device-sim/emulation/device.h"
#include "usbredir/descriptors.h"
#include "usbredir/endpoint_table.h"
#include "usbredir/host_end.h"
#include "usbredir/parser.h"

namespace usbloop::device_sim {

/// The usb-host end of a usbredir stream whose device is emulated. Answers at once, so its output only changes from
/// within receive(), consume(), look(), serve_waiting() and disconnect(). Transfers that the device is not ready for
/// wait in a queue per endpoint; what an interrupt endpoint has to say goes out by itself while the guest receives, and
/// isochronous packets by the clock; those of the guest the device gets as they come. It wakes its holder for them, and
/// when the device's time has come (Device::due). usb.md sections 1, 2, 3 and 8.
class EmulatedHost final : public usbredir::HostEnd, private usbredir::PacketHandler {
 public:
  using Clock = Time (*)();

  /// An Error when the device's own descriptors are wrong.
  static Result<std::unique_ptr<EmulatedHost>> make(std::unique_ptr<Device> device,
                                                    usbredir::ParserOptions options = {},
                                                    Clock clock = std::chrono::steady_clock::now);

  ~EmulatedHost() override;
  EmulatedHost(const EmulatedHost&) = delete;
  EmulatedHost& operator=(const EmulatedHost&) = delete;

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return device_->description(); }
  void set_wake(std::function<void()> wake) override { alarm_.set_wake(std::move(wake)); }
  void look() override;
  [[nodiscard]] bool wants_input() const override;
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override;
  [[nodiscard]] std::span<const std::byte> pending() const override { return parser_.pending(); }
  void consume(std::size_t count) override;
  [[nodiscard]] usbredir::HostState state() const override { return state_; }
  [[nodiscard]] Result<> outcome() const override;
  void disconnect() override;

  /// Device::set_fault(). What comes of it comes by a wake.
  Result<> set_fault(const Fault& fault);
  /// The device does everything right from now on.
  void clear_faults();

  /// The device is gone: tells the guest so.
  void lose_device();

  /// Something has happened to the device, or lose_device() was called: wakes the holder, who then looks.
  void stir();

  /// Offers the device the transfers that wait. To be called when the device has something new to say for a reason of
  /// its own.
  void serve_waiting();

  /// What of the transfers for `pipe` waits, in bytes.
  [[nodiscard]] std::uint64_t waiting(Pipe pipe) const;

 private:
  /// A transfer that the device has not answered.
  struct Waiting {
    std::uint64_t id = 0;
    usb_redir_bulk_packet_header header{};
    usbredir::Payload data = {};
  };
  using WaitingQueue = std::deque<Waiting>;
  struct WaitingControl {
    std::uint64_t id = 0;
    usb_redir_control_packet_header header{};
    usbredir::Payload data = {};
  };

  /// An isochronous IN endpoint whose packets the guest gets.
  struct IsoStream {
    std::uint8_t endpoint = 0;
    std::uint16_t packet = 0;             ///< bytes at most
    std::chrono::nanoseconds interval{};  ///< between packets
    Time next;                            ///< when the next packet is due
    std::uint64_t id = 0;                 ///< of the next packet
  };

  EmulatedHost(std::unique_ptr<Device> device, usbredir::Configuration configuration,
               const usbredir::ParserOptions& options, Clock clock);

  void on_hello(std::string_view version) override;
  void on_reset() override;
  void on_set_configuration(std::uint64_t id, const usb_redir_set_configuration_header& header) override;
  void on_get_configuration(std::uint64_t id) override;
  void on_set_alt_setting(std::uint64_t id, const usb_redir_set_alt_setting_header& header) override;
  void on_get_alt_setting(std::uint64_t id, const usb_redir_get_alt_setting_header& header) override;
  void on_start_iso_stream(std::uint64_t id, const usb_redir_start_iso_stream_header& header) override;
  void on_stop_iso_stream(std::uint64_t id, const usb_redir_stop_iso_stream_header& header) override;
  void on_start_interrupt_receiving(std::uint64_t id,
                                    const usb_redir_start_interrupt_receiving_header& header) override;
  void on_stop_interrupt_receiving(std::uint64_t id, const usb_redir_stop_interrupt_receiving_header& header) override;
  void on_start_bulk_receiving(std::uint64_t id, const usb_redir_start_bulk_receiving_header& header) override;
  void on_stop_bulk_receiving(std::uint64_t id, const usb_redir_stop_bulk_receiving_header& header) override;
  void on_alloc_bulk_streams(std::uint64_t id, const usb_redir_alloc_bulk_streams_header& header) override;
  void on_free_bulk_streams(std::uint64_t id, const usb_redir_free_bulk_streams_header& header) override;
  void on_cancel_data_packet(std::uint64_t id) override;
  void on_filter_reject() override;
  void on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) override;
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) override;
  void on_interrupt(std::uint64_t id, const usb_redir_interrupt_packet_header& header, usbredir::Payload data) override;
  void on_iso(std::uint64_t id, const usb_redir_iso_packet_header& header, usbredir::Payload data) override;

  bool in_use();
  void announce_endpoints();
  void forget_transfers();
  void cancel_waiting(std::size_t index);
  void start_endpoint(std::size_t index);
  [[nodiscard]] bool may_have_streams(std::uint32_t endpoints, std::uint32_t count) const;
  void set_streams(std::uint32_t endpoints, std::uint32_t count);
  [[nodiscard]] TransferStatus objection(const usb_redir_bulk_packet_header& header, std::size_t data) const;
  bool serve_controls();
  bool serve_queue(WaitingQueue& queue);
  bool serve_receiving(std::size_t index);
  bool serve_buffered(std::size_t index);
  void look_after();
  void set_alarm();
  bool cancel_control(std::uint64_t id);
  bool serve(const Waiting& transfer);
  bool serve_out(const Waiting& transfer);
  bool serve_in(const Waiting& transfer);
  void answer(std::uint64_t id, usb_redir_bulk_packet_header header, TransferStatus status, std::size_t taken = 0);
  void end(usbredir::HostState state);
  bool start_iso(std::uint8_t address);
  void stop_iso(std::uint8_t address);
  void send_due_packets();
  void send_packet(IsoStream& stream);
  [[nodiscard]] std::optional<Time> packets_due() const;

  std::unique_ptr<Device> device_;
  const usbredir::Configuration configuration_;
  usbredir::EndpointTable endpoints_;
  HaltSet halted_;
  ControlEndpoint control_;
  std::array<WaitingQueue, 32> waiting_;
  std::deque<WaitingControl> controls_;
  std::array<std::uint32_t, 32> streams_{};   ///< that the guest has given an endpoint; 0: none. As waiting_ by index
  std::bitset<32> receiving_;                 ///< interrupt endpoints from which the guest receives; by index
  std::array<std::uint32_t, 32> buffered_{};  ///< bytes at once from a bulk endpoint that sends by itself; 0: none does
  std::array<std::uint64_t, 32> sent_{};      ///< packets of such endpoints; their ids
  std::vector<IsoStream> iso_streams_;
  std::bitset<32> iso_out_;  ///< isochronous OUT endpoints whose packets the device gets; by index
  std::size_t held_ = 0;     ///< bytes of data that wait for the device
  std::uint8_t configured_ = 0;
  std::size_t longest_in_;
  usbredir::HostState state_ = usbredir::HostState::waiting;
  std::optional<Error> failure_;
  const Clock clock_;
  Alarm alarm_;
  usbredir::Parser parser_;  ///< last: its hello is made with all else in place
};

}  // namespace usbloop::device_sim
