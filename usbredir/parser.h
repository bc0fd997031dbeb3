#pragma once

#include <usbredirparser.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "usbredir/output_queue.h"
#include "usbredir/packet_gate.h"
#include "usbredir/packet_handler.h"

namespace usbloop::usbredir {

/// Which end of the stream this is: `usb_host` has the device, `usb_guest` has the virtual machine.
enum class Side { usb_host, usb_guest };

/// The capabilities (usb_redir_cap_*) that QEMU's xHCI needs, and those that cost nothing. Bulk streams and buffered
/// bulk input are left out: who offers them must implement them.
inline constexpr std::initializer_list<int> kUsualCapabilities = {
    usb_redir_cap_connect_device_version,  usb_redir_cap_filter,     usb_redir_cap_device_disconnect_ack,
    usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_64bits_ids, usb_redir_cap_32bits_bulk_length};

struct ParserOptions {
  Side side = Side::usb_host;
  std::vector<int> capabilities{kUsualCapabilities};
  std::string version = "usbloop";  ///< our name in the hello, at most 63 characters
  PacketLimits limits = {};
  /// False for a caller that only reads along: data of control and bulk packets is not copied, and the handler's data
  /// is meaningless.
  bool keep_data = true;
  std::size_t high_water = 1024 * 1024;  ///< bytes of output at which feed() stops before the next packet
};

/// A bulk packet in the making, whose data is filled in place: see Parser::make_bulk().
class BulkBuffer {
 public:
  /// Where the data goes. Not initialised.
  [[nodiscard]] std::span<std::byte> room() const;

 private:
  friend class Parser;
  WriteBuffer buffer_;
  std::size_t room_ = 0;
};

/// One end of a usbredir stream, without I/O: libusbredirparser between bytes and packets. The stream of the peer goes
/// into feed(), its packets come out of the handler; packets sent come out of pending(). The hello is sent by the
/// constructor. Belongs to one thread.
class Parser {
 public:
  /// `handler` must outlive the parser.
  Parser(const ParserOptions& options, PacketHandler& handler);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Takes bytes of the peer, cut anywhere, and calls the handler for each whole packet. Returns how many were taken:
  /// all, or fewer when the output has reached the high-water mark. After an Error (kind protocol) the stream is
  /// lost and every later call returns the same Error.
  [[nodiscard]] Result<std::size_t> feed(std::span<const std::byte> bytes);

  /// False at the high-water mark, and after an error.
  [[nodiscard]] bool wants_input() const { return !error_ && output_.size() < high_water_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  /// The peer's hello has come.
  [[nodiscard]] bool peer_known() const { return usbredirparser_have_peer_caps(parser_.get()) != 0; }
  /// The peer announced capability `cap` (usb_redir_cap_*). False before its hello.
  [[nodiscard]] bool peer_has(int cap) const { return usbredirparser_peer_has_cap(parser_.get(), cap) != 0; }

  /// The next bytes for the peer, and dropping them; see OutputQueue.
  [[nodiscard]] std::span<const std::byte> pending() const { return output_.front(); }
  void consume(std::size_t count) { output_.consume(count); }
  [[nodiscard]] std::size_t pending_size() const { return output_.size(); }

  // Packets of the usb-host side. device_connect only after the peer's hello.
  void send(const usb_redir_device_connect_header& header);
  void send(const usb_redir_interface_info_header& header);
  void send(const usb_redir_ep_info_header& header);
  void send(std::uint64_t id, const usb_redir_configuration_status_header& header);
  void send(std::uint64_t id, const usb_redir_alt_setting_status_header& header);
  void send(std::uint64_t id, const usb_redir_iso_stream_status_header& header);
  void send(std::uint64_t id, const usb_redir_interrupt_receiving_status_header& header);
  void send(std::uint64_t id, const usb_redir_bulk_streams_status_header& header);
  void send(std::uint64_t id, const usb_redir_bulk_receiving_status_header& header);
  void send(std::uint64_t id, const usb_redir_buffered_bulk_packet_header& header, std::span<const std::byte> data);
  void send_device_disconnect();

  // Packets of the usb-guest side.
  void send(std::uint64_t id, const usb_redir_set_configuration_header& header);
  void send(std::uint64_t id, const usb_redir_set_alt_setting_header& header);
  void send(std::uint64_t id, const usb_redir_get_alt_setting_header& header);
  void send(std::uint64_t id, const usb_redir_start_iso_stream_header& header);
  void send(std::uint64_t id, const usb_redir_stop_iso_stream_header& header);
  void send(std::uint64_t id, const usb_redir_start_interrupt_receiving_header& header);
  void send(std::uint64_t id, const usb_redir_stop_interrupt_receiving_header& header);
  void send(std::uint64_t id, const usb_redir_alloc_bulk_streams_header& header);
  void send(std::uint64_t id, const usb_redir_free_bulk_streams_header& header);
  void send(std::uint64_t id, const usb_redir_start_bulk_receiving_header& header);
  void send(std::uint64_t id, const usb_redir_stop_bulk_receiving_header& header);
  void send_get_configuration(std::uint64_t id);
  void send_cancel_data_packet(std::uint64_t id);
  void send_reset();
  void send_filter_reject();

  // Packets of both sides. `data` only in the direction of the endpoint; its size must be the header's length.
  void send(std::uint64_t id, const usb_redir_control_packet_header& header, std::span<const std::byte> data = {});
  void send(std::uint64_t id, const usb_redir_bulk_packet_header& header, std::span<const std::byte> data = {});
  void send(std::uint64_t id, const usb_redir_iso_packet_header& header, std::span<const std::byte> data = {});
  void send(std::uint64_t id, const usb_redir_interrupt_packet_header& header, std::span<const std::byte> data = {});

  /// A bulk packet with data is megabytes long: make_bulk() gives room for up to `size` bytes inside the outgoing
  /// buffer, to be filled by a read of the backing store; then send_bulk() sends the first `used` of them. The header's
  /// length fields are set here. The same bytes as send() of the same data. Null on lack of memory.
  [[nodiscard]] std::optional<BulkBuffer> make_bulk(std::size_t size) const;
  void send_bulk(std::uint64_t id, usb_redir_bulk_packet_header header, BulkBuffer buffer, std::size_t used);

 private:
  friend struct ParserCallbacks;
  struct Destroy {
    void operator()(usbredirparser* parser) const { usbredirparser_destroy(parser); }
  };

  int read(std::uint8_t* data, int count);
  int write(std::uint8_t* data, int count);
  void fail(std::string cause);
  void flush();
  [[nodiscard]] bool both_have(int cap) const;
  [[nodiscard]] std::size_t header_size() const;

  PacketHandler& handler_;
  PacketGate gate_;
  OutputQueue output_;
  std::size_t high_water_;
  bool keep_data_;
  std::unique_ptr<usbredirparser, Destroy> parser_;
  std::span<const std::byte> input_;  ///< what feed() has not passed on yet
  std::optional<Error> error_;
  std::string complaint_;  ///< the library's last error message
};

}  // namespace usbloop::usbredir
