#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/fd.h"
#include "e2e/harness/process.h"
#include "usbredir/parser.h"

namespace usbloop::bench {

/// A device-sim process with one device, and the guest at the other end of its socket: this program, which does what
/// QEMU and a driver would do and nothing else, so that the device is what is measured. One thread; failures are
/// e2e::Failure.
class DeviceGuest : private usbredir::PacketHandler {
 public:
  /// The answer to a bulk transfer.
  struct Answer {
    std::uint64_t id = 0;
    std::uint32_t size = 0;
    std::byte second{};  ///< byte of the data: a payload's flags, a status wrapper's
    std::byte last{};    ///< byte of the data
  };

  /// Starts the device that SPEC describes and configures it. `directory` is for its socket and its log.
  DeviceGuest(const std::filesystem::path& directory, const std::string& spec);

  [[nodiscard]] pid_t pid() const { return device_->pid(); }

  void select(std::uint8_t interface, std::uint8_t alternate);
  /// Gives bulk streams to the endpoints of `mask`.
  void give_streams(std::uint32_t mask, std::uint32_t count);
  void control_out(std::uint8_t type, std::uint8_t request, std::uint16_t value, std::uint16_t index,
                   std::span<const std::byte> data);
  /// Lets all interrupt endpoints report.
  void listen();
  /// Whether it is there, and isochronous.
  bool start_isochronous(std::uint8_t endpoint);

  /// The id of the transfer that was begun last.
  [[nodiscard]] std::uint64_t last_id() const { return id_; }
  /// Begins a bulk transfer and gives its id.
  std::uint64_t in(std::uint8_t endpoint, std::uint32_t size, std::uint32_t stream = 0);
  std::uint64_t out(std::uint8_t endpoint, std::span<const std::byte> data, std::uint32_t stream = 0);
  /// The next answer that comes; it has to be a success. Nothing when none has come at `until`.
  std::optional<Answer> next(std::chrono::steady_clock::time_point until);
  /// As next(), and one has to come.
  Answer next();

  /// Isochronous packets that ended a picture or had sound, so far.
  [[nodiscard]] int pictures() const { return pictures_; }
  [[nodiscard]] std::uint64_t isochronous_bytes() const { return isochronous_bytes_; }

 private:
  void on_device_connect(const usb_redir_device_connect_header&) override { is_connected_ = true; }
  void on_ep_info(const usb_redir_ep_info_header& header) override { endpoints_ = header; }
  void on_configuration_status(std::uint64_t, const usb_redir_configuration_status_header& header) override;
  void on_alt_setting_status(std::uint64_t, const usb_redir_alt_setting_status_header& header) override;
  void on_iso_stream_status(std::uint64_t, const usb_redir_iso_stream_status_header& header) override;
  void on_interrupt_receiving_status(std::uint64_t, const usb_redir_interrupt_receiving_status_header& header) override;
  void on_bulk_streams_status(std::uint64_t, const usb_redir_bulk_streams_status_header& header) override;
  void on_control(std::uint64_t, const usb_redir_control_packet_header& header, usbredir::Payload data) override;
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) override;
  void on_iso(std::uint64_t, const usb_redir_iso_packet_header& header, usbredir::Payload data) override;

  void ended(std::uint8_t status, const char* what);
  void wait_ended(const char* what);
  /// Writes what waits, and reads what has come until `until`. False when nothing has.
  bool pump(std::chrono::steady_clock::time_point until);
  void write_pending();

  std::unique_ptr<e2e::Process> device_;
  Fd socket_;
  usbredir::Parser parser_;
  std::deque<Answer> answers_;
  usb_redir_ep_info_header endpoints_{};
  bool is_connected_ = false;
  std::optional<std::uint8_t> ended_;  ///< status of the request that was waited for
  std::uint64_t id_ = 0;
  int pictures_ = 0;
  std::uint64_t isochronous_bytes_ = 0;
};

}  // namespace usbloop::bench
