#include "bridge/stream_guard.h"

#include "usbredir/parser.h"

namespace usbloop::bridge {
namespace {

/// What QEMU offers: the form of some packets depends on what both sides have.
usbredir::ParserOptions as_qemu() {
  usbredir::ParserOptions options;
  options.side = usbredir::Side::usb_guest;
  options.keep_data = false;
  options.capabilities = {
      usb_redir_cap_bulk_streams,          usb_redir_cap_connect_device_version,  usb_redir_cap_filter,
      usb_redir_cap_device_disconnect_ack, usb_redir_cap_ep_info_max_packet_size, usb_redir_cap_64bits_ids,
      usb_redir_cap_32bits_bulk_length,    usb_redir_cap_bulk_receiving};
  return options;
}

}  // namespace

class StreamGuard::Reader {
 public:
  Result<> read(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto taken = parser_.feed(bytes);
      if (!taken) return tl::unexpected(taken.error());
      bytes = bytes.subspan(*taken);
      // What this end would answer is QEMU's to say.
      while (!parser_.pending().empty()) parser_.consume(parser_.pending().size());
    }
    return {};
  }

 private:
  usbredir::PacketHandler nobody_;
  usbredir::Parser parser_{as_qemu(), nobody_};
};

StreamGuard::StreamGuard() : reader_(std::make_unique<Reader>()) {}

StreamGuard::~StreamGuard() = default;

Result<> StreamGuard::pass(std::span<const std::byte> bytes) { return reader_->read(bytes); }

}  // namespace usbloop::bridge
