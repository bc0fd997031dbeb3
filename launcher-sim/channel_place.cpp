#include "launcher-sim/channel_place.h"

#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

#include "launcher-sim/qemu_command.h"

namespace usbloop::launcher {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBacklogTime{2'000};

/// Connects to a socket of QEMU's. Its backlog is short, and full until QEMU has taken in the end of the session
/// before.
asio::awaitable<Result<net::StreamPtr>> connect_to_qemu(asio::any_io_executor executor, std::string path) {
  auto device = net::connect_unix(executor, path);
  const auto until = Clock::now() + kBacklogTime;
  while (!device && device.error().kind == ErrorKind::conflict && Clock::now() < until) {
    asio::steady_timer pause(executor, std::chrono::milliseconds(10));
    asio::error_code ignored;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    device = net::connect_unix(executor, path);
  }
  co_return device;
}

}  // namespace

asio::awaitable<tl::expected<Place, Refused>> take_place(asio::any_io_executor executor, const Opening& opening,
                                                         SlotTable& slots, SessionList& sessions) {
  using Kind = ChannelRequest::Kind;
  const std::string& uid = opening.guest.uid;
  const Kind kind = opening.request.kind;
  Place place;
  if (kind == Kind::usbredir) {
    place.lease = slots.take(uid);
    if (!place.lease) co_return tl::unexpected(Refused{503, {}});
    place.socket_name = usb_socket_name(place.lease->index());
  } else if (opening.request.preserve_session && sessions.has(uid, kind)) {
    co_return tl::unexpected(Refused{503, "Active VNC connection. Request denied."});
  } else {
    sessions.end_of_kind(uid, kind);  // a newer one takes over
    place.socket_name = kind == Kind::vnc ? kVncSocket : kSerialSocket;
  }
  const std::string path = opening.guest.directory + "/" + place.socket_name;
  auto device = co_await connect_to_qemu(executor, path);
  if (!device) {
    const bool missing = device.error().kind == ErrorKind::not_found;
    std::string text = missing ? "stat " + path + ": no such file or directory" : device.error().message();
    co_return tl::unexpected(Refused{400, std::move(text)});
  }
  place.device = std::move(*device);
  co_return place;
}

}  // namespace usbloop::launcher
