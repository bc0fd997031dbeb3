#include "client/devices/redir_library.h"

#include <usbredirproto.h>

#include <cstdint>
#include <mutex>
#include <string>

#include "common/log.h"

namespace usbloop::client {
namespace {

// The library calls back for its locks (docs/multi-thread.md of usbredir); it owns them between these two calls.
void* alloc_lock() { return new std::mutex; }
void free_lock(void* lock) { delete static_cast<std::mutex*>(lock); }
void take_lock(void* lock) { static_cast<std::mutex*>(lock)->lock(); }
void drop_lock(void* lock) { static_cast<std::mutex*>(lock)->unlock(); }

/// How much the libraries say; each line of theirs costs time even when our log drops it.
int verbosity() {
  if (spdlog::should_log(spdlog::level::trace)) return usbredirparser_debug;
  return spdlog::should_log(spdlog::level::debug) ? usbredirparser_info : usbredirparser_warning;
}

/// Takes libusb's lines into our log. Registered for the whole process: a context's own callback does not keep libusb
/// from printing the line to standard error as well.
void LIBUSB_CALL log_libusb(libusb_context*, libusb_log_level, const char* text) {
  std::string line(text);
  while (line.ends_with('\n')) line.pop_back();
  spdlog::debug("libusb: {}", line);
}

}  // namespace

RedirHostPtr open_redir_host(libusb_context* context, const RedirCallbacks& callbacks, void* self) {
  RedirHostPtr host(usbredirhost_open_full(
      context, nullptr, callbacks.log, callbacks.read, callbacks.write, callbacks.flush, alloc_lock, take_lock,
      drop_lock, free_lock, self, "usbloop " USBLOOP_VERSION, verbosity(), usbredirhost_fl_write_cb_owns_buffer));
  // The library has set libusb's level from its own; a dozen lines for each transfer hide the transfers. Who wants them
  // sets LIBUSB_DEBUG, which libusb obeys whatever is asked of it here.
  if (host) libusb_set_option(context, LIBUSB_OPTION_LOG_LEVEL, LIBUSB_LOG_LEVEL_WARNING);
  return host;
}

spdlog::level::level_enum redir_log_level(int level) {
  switch (level) {
    case usbredirparser_error:
    case usbredirparser_warning: return spdlog::level::warn;
    case usbredirparser_info: return spdlog::level::debug;
    default: return spdlog::level::trace;
  }
}

void take_libusb_log() { libusb_set_log_cb(nullptr, log_libusb, LIBUSB_LOG_CB_GLOBAL); }

std::optional<usbredir::HostState> state_after(std::span<const std::byte> packet) {
  using usbredir::HostState;
  std::uint32_t type = 0;
  if (packet.size() < sizeof type) return std::nullopt;
  for (std::size_t index = 0; index < sizeof type; ++index) {
    type |= std::to_integer<std::uint32_t>(packet[index]) << (8 * index);
  }
  switch (type) {
    case usb_redir_hello:
    case usb_redir_interface_info:
    case usb_redir_ep_info: return std::nullopt;
    case usb_redir_device_connect: return HostState::announced;
    case usb_redir_device_disconnect: return HostState::device_gone;
    default: return HostState::in_use;  // all other packets answer the guest
  }
}

}  // namespace usbloop::client
