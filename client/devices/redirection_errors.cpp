#include "client/devices/redirection_errors.h"

#include "usbredir/rejection.h"

namespace usbloop::client {

using usbredir::HostState;

Error not_taken(const std::string& label, const std::string& said) {
  Error error{ErrorKind::internal, "take", label, said, ""};
  const auto says = [&](const char* words) { return error.cause.find(words) != std::string::npos; };
  if (says("in use")) {
    error.kind = ErrorKind::conflict;
    error.hint =
        "Another program has claimed the device (another redirection, a virtual machine?). End it, then try again.";
  } else if (says("LIBUSB_ERROR_NO_DEVICE") || says("LIBUSB_ERROR_NOT_FOUND")) {
    error.kind = ErrorKind::not_found;
    error.hint =
        "It has been unplugged, or came back from its reset as another device. Look at --list, then try again.";
  } else {
    error.hint =
        "Unplug it, plug it in again and try again; with -vv each step is told, and dmesg has the kernel's word.";
  }
  return error;
}

Error broken_protocol(const std::string& label, const std::string& said) {
  return {ErrorKind::protocol, "redirect", label, "the virtual machine's side broke the usbredir protocol: " + said,
          "Try again; if it happens again, report it with what -vv says."};
}

Result<> redirection_outcome(HostState state, const usbredir::DeviceDescription& device, const std::string& said) {
  const std::string label = device.label();
  switch (state) {
    case HostState::rejected: return tl::unexpected(usbredir::rejection_of(device));
    case HostState::device_gone:
      return make_error(ErrorKind::unavailable, "redirect", label, "the device has been unplugged or does not answer",
                        "Plug it in again. Without --once the client waits for that by itself.");
    case HostState::failed: return tl::unexpected(broken_protocol(label, said));
    default: return {};
  }
}

}  // namespace usbloop::client
