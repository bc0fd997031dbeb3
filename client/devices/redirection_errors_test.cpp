#include "client/devices/redirection_errors.h"

#include <doctest/doctest.h>
#include <usbredirproto.h>

#include <array>

#include "client/devices/redir_library.h"

using namespace usbloop;
using namespace usbloop::client;
using usbredir::HostState;

namespace {

std::optional<HostState> state_after_type(std::uint32_t type) {
  std::array<std::byte, 12> packet{};
  for (std::size_t index = 0; index < 4; ++index) packet[index] = static_cast<std::byte>(type >> (8 * index));
  return state_after(packet);
}

}  // namespace

TEST_CASE("a packet to the guest shows how far a redirection has come") {
  CHECK_FALSE(state_after_type(usb_redir_hello));
  CHECK_FALSE(state_after_type(usb_redir_interface_info));
  CHECK_FALSE(state_after_type(usb_redir_ep_info));
  CHECK(state_after_type(usb_redir_device_connect) == HostState::announced);
  CHECK(state_after_type(usb_redir_device_disconnect) == HostState::device_gone);
  CHECK(state_after_type(usb_redir_configuration_status) == HostState::in_use);
  CHECK(state_after_type(usb_redir_bulk_packet) == HostState::in_use);
  CHECK_FALSE(state_after({}));
}

TEST_CASE("what usbredirhost says becomes an error that a person can do something about") {
  const Error in_use = not_taken("a stick", "Device is in use by another application");
  CHECK(in_use.kind == ErrorKind::conflict);
  CHECK(in_use.cause == "Device is in use by another application");
  CHECK_FALSE(in_use.hint.empty());
  CHECK(not_taken("a stick", "could not claim: LIBUSB_ERROR_NO_DEVICE").kind == ErrorKind::not_found);
  CHECK(not_taken("a stick", "something else").kind == ErrorKind::internal);
}

TEST_CASE("the end of a redirection is told by its state") {
  const usbredir::DeviceDescription stick{0x951, 0x1666, usbredir::Speed::full, "", "", "", "a stick"};
  CHECK(redirection_outcome(HostState::disconnected, stick, "said"));
  const auto rejected = redirection_outcome(HostState::rejected, stick, "said");
  CHECK(rejected.error().kind == ErrorKind::denied);
  CHECK(rejected.error().hint.starts_with("It has full speed (12 Mbit/s). Where QEMU's log says \"speed mismatch\""));
  CHECK(redirection_outcome(HostState::device_gone, stick, "said").error().kind == ErrorKind::unavailable);
  const auto failed = redirection_outcome(HostState::failed, stick, "a packet too long");
  CHECK(failed.error().kind == ErrorKind::protocol);
  CHECK(failed.error().cause.ends_with("broke the usbredir protocol: a packet too long"));
}
