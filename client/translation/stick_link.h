#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "usbredir/host_end.h"
#include "usbredir/parser.h"
#include "usbredir/transfer_reply.h"

namespace usbloop::client {

/// How a transfer to the stick has ended.
struct TransferEnd {
  usbredir::TransferStatus status = usbredir::TransferStatus::success;
  std::size_t moved = 0;        ///< bytes; of IN those in `data`
  usbredir::Payload data = {};  ///< of IN
};

/// The guest's side of a host end whose device is a stick, kept on this machine: what QEMU would be. Makes it ready
/// (configuration, number of logical units) and carries transfers to it. Belongs to the thread of the host end's
/// holder; callbacks come from within pump().
class StickLink final : private usbredir::PacketHandler {
 public:
  enum class State {
    starting,
    ready,
    failed  ///< it cannot be used, see problem()
  };
  using Done = std::function<void(TransferEnd)>;

  /// `host` must outlive this object; nothing else talks to it.
  explicit StickLink(usbredir::HostEnd& host);

  /// Carries bytes both ways until there are none. False when there was nothing to do.
  bool pump();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// What the device said of itself. Meaningful once it is ready.
  [[nodiscard]] const usb_redir_device_connect_header& announced() const { return announced_; }
  [[nodiscard]] std::uint8_t last_logical_unit() const { return last_logical_unit_; }

  // Transfers. `done` is called once for each, whatever happens, unless forget_transfers() is called before.
  std::uint64_t bulk_out(std::span<const std::byte> data, Done done);
  std::uint64_t bulk_in(std::size_t size, Done done);
  /// Bulk-Only Mass Storage Reset.
  void reset_transport(Done done);
  /// CLEAR_FEATURE(ENDPOINT_HALT) of the bulk-in or the bulk-out endpoint.
  void clear_halt(bool in, Done done);
  /// A reset of the bus, and the configuration again. Other transfers end as cancelled.
  void reset_bus(Done done);
  /// Gives a transfer up. It still ends, as cancelled or as it did.
  void cancel(std::uint64_t id);

 private:
  void on_device_connect(const usb_redir_device_connect_header& header) override;
  void on_device_disconnect() override;
  void on_ep_info(const usb_redir_ep_info_header& header) override;
  void on_interface_info(const usb_redir_interface_info_header& header) override;
  void on_configuration_status(std::uint64_t id, const usb_redir_configuration_status_header& header) override;
  void on_control(std::uint64_t id, const usb_redir_control_packet_header& header, usbredir::Payload data) override;
  void on_bulk(std::uint64_t id, const usb_redir_bulk_packet_header& header, usbredir::Payload data) override;

  std::uint64_t expect(Done done);
  void finish(std::uint64_t id, TransferEnd end);
  void control(std::uint8_t type, std::uint8_t request, std::uint16_t index, Done done);
  void configure(Done done);
  void ask_logical_units();
  void fail(std::string why);

  usbredir::HostEnd& host_;
  State state_ = State::starting;
  std::string problem_;
  usb_redir_device_connect_header announced_{};
  usb_redir_interface_info_header interfaces_{};
  std::uint8_t endpoint_in_ = 0;  ///< addresses of the bulk endpoints; 0: none, or several
  std::uint8_t endpoint_out_ = 0;
  std::uint8_t configuration_ = 0;
  std::uint8_t last_logical_unit_ = 0;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Done> waiting_;
  usbredir::Parser parser_;  ///< last: its hello is made with all else in place
};

}  // namespace usbloop::client
