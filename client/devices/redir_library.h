#pragma once

#include <libusb.h>
#include <spdlog/common.h>
#include <usbredirhost.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "usbredir/host_end.h"

// usbredirhost and libusb, as this program sets them up.
namespace usbloop::client {

struct RedirHostDeleter {
  void operator()(usbredirhost* host) const { usbredirhost_close(host); }
};
using RedirHostPtr = std::unique_ptr<usbredirhost, RedirHostDeleter>;

/// What usbredirhost calls; each is called with the `self` of open_redir_host().
struct RedirCallbacks {
  usbredirparser_log log;
  usbredirparser_read read;
  usbredirparser_write write;  ///< owns its buffer
  usbredirhost_flush_writes flush;
};

/// Null when the library refuses; it has said why to the log callback then.
RedirHostPtr open_redir_host(libusb_context* context, const RedirCallbacks& callbacks, void* self);

/// The level of our log for a line of usbredirhost's.
spdlog::level::level_enum redir_log_level(int level);

/// Takes libusb's lines into our log, in the whole process.
void take_libusb_log();

/// The state that a packet to the guest shows, if any. usbredirhost does not report how far the redirection has come,
/// but each buffer that it writes is one packet.
std::optional<usbredir::HostState> state_after(std::span<const std::byte> packet);

}  // namespace usbloop::client
