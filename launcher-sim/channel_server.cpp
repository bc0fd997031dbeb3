#include "launcher-sim/channel_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <filesystem>

#include "bridge/bridge.h"
#include "bridge/handoff.h"
#include "common/fd.h"
#include "common/http/answer.h"
#include "common/log.h"
#include "common/net/deadline.h"
#include "common/net/descriptor_passing.h"
#include "common/net/stream.h"
#include "common/repeated_error.h"
#include "common/websocket/handshake.h"
#include "launcher-sim/action_request.h"
#include "launcher-sim/channel_opening.h"
#include "launcher-sim/channel_place.h"
#include "launcher-sim/channel_sessions.h"
#include "launcher-sim/slot_table.h"

namespace usbloop::launcher {
namespace {

using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kHeadTime{10'000};
/// Connections in the handshake or open, all guests together.
constexpr std::size_t kMaxConnections = 4096;

}  // namespace

class ChannelServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, const GuestRegistry& guests, ChannelServerOptions options)
      : loop_(loop), guests_(guests), options_(options), acceptor_(loop) {}

  Result<> listen(const std::string& path) {
    const std::filesystem::path full(path);
    // Bound through the folder's descriptor: the path itself may be longer than a socket address holds.
    folder_.reset(::open(full.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder_) return make_errno_error("open", full.parent_path().string());
    ::unlink(path.c_str());
    const std::string name = "/proc/self/fd/" + std::to_string(folder_.get()) + "/" + full.filename().string();
    asio::error_code code;
    acceptor_.open(Local(), code);
    if (!code) acceptor_.bind(Local::endpoint(name), code);
    if (!code) acceptor_.listen(asio::socket_base::max_listen_connections, code);
    if (code) return make_errno_error("listen on", path, code.value());
    ::chmod(path.c_str(), 0600);
    asio::co_spawn(
        loop_, [self = shared_from_this()] { return self->accept(); }, asio::detached);
    return {};
  }

  void on_action(PerformAction perform) { perform_ = std::move(perform); }

  void end_sessions(const std::string& uid) { sessions_.end_of_guest(uid); }

  void stop() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    sessions_.end_all();
  }

 private:
  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      asio::error_code code;
      Local::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
      if (!acceptor_.is_open()) co_return;
      if (code) {
        errors_.report("cannot accept on the node channel: " + code.message());
        asio::steady_timer pause(loop_, std::chrono::milliseconds(100));  // out of descriptors: spare the processor
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
        continue;
      }
      if (connections_ >= kMaxConnections) continue;  // the socket closes
      ++connections_;
      asio::co_spawn(
          loop_,
          [self = shared_from_this(), stream = net::make_plain_stream(net::Stream::Socket(
                                          std::move(socket)))]() mutable { return self->serve(std::move(stream)); },
          [self = shared_from_this()](const std::exception_ptr& failure) {
            --self->connections_;
            if (failure) spdlog::error("a session ended by an internal error");
          });
    }
  }

  asio::awaitable<void> serve(net::StreamPtr client) {
    std::string text;
    const auto length = co_await read_head(*client, text);
    if (!length) co_return;
    auto opening = read_opening(std::string_view(text).substr(0, *length), guests_);
    if (!opening) {
      co_await refuse(*client, opening.error());
      co_return;
    }
    // Not erase: a session may be idle for days, and would keep the 4 KiB that its head was read into.
    std::string(text, *length).swap(text);
    if (is_stream(opening->request.kind)) {
      co_await open(client, *opening, text);
    } else {
      const std::string response = co_await answer_action(loop_, perform_, opening->request, opening->guest.uid);
      co_await send(*client, response);
    }
  }

  /// Takes its place, answers 101, and carries the bytes or hands the device over.
  asio::awaitable<void> open(net::StreamPtr& client, Opening& opening, const std::string& leftover) {
    auto place = co_await take_place(loop_.get_executor(), opening, slots_, sessions_);
    if (!place) {
      spdlog::info("VMI {}: a session is refused ({}) {}", opening.vmi(), place.error().status, place.error().text);
      co_await refuse(*client, place.error());
      co_return;
    }
    const bool offered = opening.head.header(bridge::kHandoffHeader) == bridge::kHandoffSocket;
    if (options_.handoff && offered && leftover.empty() && net::passes_descriptors(*client)) {
      co_await hand_over(*client, opening, *place);
    } else {
      co_await carry(client, opening, *place, leftover);
    }
  }

  /// The plain way: this end of the websocket.
  asio::awaitable<void> carry(net::StreamPtr& client, const Opening& opening, Place& place,
                              const std::string& leftover) {
    const auto end = [&place] {
      place.device->close();
      place.lease.reset();  // the client may take a moment longer
    };
    const SessionList::Entry session(sessions_, {opening.guest.uid, opening.request.kind, end});
    const std::string response = websocket::upgrade_response(opening.head) + websocket::first_ping();
    const auto bytes = std::as_bytes(std::span(response));
    const auto answered = co_await client->write_all(bytes);
    if (!answered) co_return;
    spdlog::info("VMI {}: session on {} begins", opening.vmi(), place.socket_name);
    auto options = options_.websocket;
    options.first_ping_sent = true;
    websocket::Channel channel(std::move(client), websocket::Role::server, options, std::as_bytes(std::span(leftover)));
    bridge::StreamGuard guard;
    const bool guarded = opening.request.kind == ChannelRequest::Kind::usbredir;
    bridge::Ends ends{channel, *place.device, guarded ? &guard : nullptr, end, traffic_};
    co_await bridge::run(std::move(ends));
    const websocket::CloseInfo& close = channel.close_info();
    spdlog::info("VMI {}: session on {} has ended ({}{}{})", opening.vmi(), place.socket_name, close.code,
                 close.reason.empty() ? "" : ": ", close.reason);
  }

  /// Gives the device's socket to the API server, and waits for the end of the lease, that is of the node channel.
  asio::awaitable<void> hand_over(net::Stream& client, Opening& opening, const Place& place) {
    asio::error_code code;
    // Taken out of the loop, which would otherwise wake up with every byte for the API server. This copy ends the
    // device's connection whatever the API server does: when the slot is free, the connection is closed.
    const Fd device(place.device->socket().release(code));
    const auto end = [&device, &client] {
      bridge::end_device(device.get());
      client.close();
    };
    const SessionList::Entry session(sessions_, {opening.guest.uid, opening.request.kind, end});
    std::string response = bridge::with_handoff(websocket::upgrade_response(opening.head));
    opening.head = {};  // the lease may be idle for days
    const auto answered = co_await bridge::send_handoff(client, std::move(response), device.get());
    if (answered) {
      spdlog::info("VMI {}: session on {} begins, handed over", opening.vmi(), place.socket_name);
      co_await bridge::lease_ends(client);
      spdlog::info("VMI {}: session on {} has ended", opening.vmi(), place.socket_name);
    }
    end();
  }

  asio::awaitable<Result<std::size_t>> read_head(net::Stream& client, std::string& text) {
    const net::Deadline deadline(loop_.get_executor(), kHeadTime, [&client] { client.close(); });
    const auto length = co_await http::read_head(http::reader_of(client), text);
    if (!length && length.error().kind == ErrorKind::protocol) {
      const Refused refused{400, "Bad Request\n" + length.error().cause};
      co_await refuse(client, refused);
    }
    co_return length;
  }

  static asio::awaitable<void> refuse(net::Stream& client, const Refused& refused) {
    const std::string response = plain_response(refused.status, refused.text);
    co_await send(client, response);
  }

  /// A whole answer, the last that the client gets.
  static asio::awaitable<void> send(net::Stream& client, const std::string& response) {
    const auto bytes = std::as_bytes(std::span(response));
    const auto written = co_await client.write_all(bytes);
    if (written) client.shutdown_write();
  }

  asio::io_context& loop_;
  const GuestRegistry& guests_;
  const ChannelServerOptions options_;
  net::Traffic traffic_;
  Fd folder_;
  Local::acceptor acceptor_;
  RepeatedError errors_;  ///< of accept(), many times a second while they last
  std::size_t connections_ = 0;
  SlotTable slots_;
  SessionList sessions_;
  PerformAction perform_;
};

ChannelServer::ChannelServer(asio::io_context& loop, const GuestRegistry& guests, ChannelServerOptions options)
    : impl_(std::make_shared<Impl>(loop, guests, options)), loop_(loop) {}
ChannelServer::~ChannelServer() = default;

void ChannelServer::on_action(PerformAction perform) {
  asio::post(loop_, [impl = impl_, perform = std::move(perform)]() mutable { impl->on_action(std::move(perform)); });
}

Result<> ChannelServer::listen(const std::string& path) { return impl_->listen(path); }

void ChannelServer::end_sessions(const std::string& uid) {
  asio::post(loop_, [impl = impl_, uid] { impl->end_sessions(uid); });
}

void ChannelServer::stop() {
  asio::post(loop_, [impl = impl_] { impl->stop(); });
}

}  // namespace usbloop::launcher
