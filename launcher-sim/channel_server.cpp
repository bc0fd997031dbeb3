#include "launcher-sim/channel_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <filesystem>
#include <set>

#include "bridge/bridge.h"
#include "bridge/handoff.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/net/deadline.h"
#include "common/net/descriptor_passing.h"
#include "common/net/stream.h"
#include "common/repeated_error.h"
#include "common/websocket/handshake.h"
#include "launcher-sim/action_request.h"
#include "launcher-sim/channel_request.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/slot_table.h"

namespace usbloop::launcher {
namespace {

using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kHeadTime{10'000};
constexpr std::chrono::milliseconds kBacklogTime{2'000};
/// Connections in the handshake or open, all guests together.
constexpr std::size_t kMaxConnections = 4096;

/// A refusal: HTTP status and text.
struct Refused {
  int status;
  std::string text;
};

bool is_stream(ChannelRequest::Kind kind) {
  return kind != ChannelRequest::Kind::action && kind != ChannelRequest::Kind::agent;
}

/// A request that is to be had.
struct Opening {
  websocket::Head head;
  ChannelRequest request;
  GuestAddress guest;
};

/// One open session. `end` closes the device's side; the session's coroutine owns what it works on.
struct Session {
  std::string uid;
  ChannelRequest::Kind kind;
  std::function<void()> end;
};

/// Keeps a session among the open ones as long as this lives.
class Registered {
 public:
  Registered(std::set<const Session*>& sessions, Session session) : sessions_(sessions), session_(std::move(session)) {
    sessions_.insert(&session_);
  }
  ~Registered() { sessions_.erase(&session_); }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;

 private:
  std::set<const Session*>& sessions_;
  const Session session_;
};

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

  void end_sessions(const std::string& uid) {
    for (const Session* session : sessions_) {
      if (session->uid == uid) session->end();
    }
  }

  void stop() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    for (const Session* session : sessions_) session->end();
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
    const auto opening = check(std::string_view(text).substr(0, *length));
    if (!opening) {
      co_await refuse(*client, opening.error());
      co_return;
    }
    text.erase(0, *length);
    if (is_stream(opening->request.kind)) {
      co_await open(client, *opening, text);
    } else {
      const std::string response = co_await answer_action(loop_, perform_, opening->request, opening->guest.uid);
      co_await send(*client, response);
    }
  }

  /// Whether what the head asks for is to be had.
  [[nodiscard]] tl::expected<Opening, Refused> check(std::string_view text) const {
    auto head = websocket::parse_request_head(text);
    if (!head) return tl::unexpected(Refused{400, "Bad Request\n" + head.error().cause});
    auto request = parse_channel_request(head->method, head->target);
    if (!request) return tl::unexpected(Refused{404, "404: Page Not Found"});
    auto guest = guests_.find(request->vmi_namespace, request->name);
    if (!guest) {
      return tl::unexpected(Refused{404, "VMI " + request->vmi_namespace + "/" + request->name + " does not exist"});
    }
    const auto cause = is_stream(request->kind) ? websocket::upgrade_refusal(*head) : std::string();
    if (!cause.empty()) {
      return tl::unexpected(Refused{400, "Bad Request\n" + cause});
    }
    return Opening{std::move(*head), std::move(*request), std::move(*guest)};
  }

  /// What a session holds besides its client. The members go in reverse: the slot is free last.
  struct Place {
    std::optional<SlotTable::Lease> lease;
    std::string socket_name;
    net::StreamPtr device;
  };

  /// Takes a slot, or takes the console away from its holder, and connects to its socket.
  asio::awaitable<tl::expected<Place, Refused>> take_place(const Opening& opening) {
    Place place;
    if (opening.request.kind == ChannelRequest::Kind::usbredir) {
      place.lease = slots_.take(opening.guest.uid);
      if (!place.lease) co_return tl::unexpected(Refused{503, {}});
      place.socket_name = usb_socket_name(place.lease->index());
    } else if (opening.request.preserve_session && has_session(opening)) {
      co_return tl::unexpected(Refused{503, "Active VNC connection. Request denied."});
    } else {
      end_older(opening);
      place.socket_name = opening.request.kind == ChannelRequest::Kind::vnc ? kVncSocket : kSerialSocket;
    }
    const std::string path = opening.guest.directory + "/" + place.socket_name;
    auto device = net::connect_unix(loop_.get_executor(), path);
    // QEMU's backlog is short, and full until QEMU has taken in the end of the session before.
    const auto until = std::chrono::steady_clock::now() + kBacklogTime;
    while (!device && device.error().kind == ErrorKind::conflict && std::chrono::steady_clock::now() < until) {
      asio::steady_timer pause(loop_, std::chrono::milliseconds(10));
      asio::error_code ignored;
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      device = net::connect_unix(loop_.get_executor(), path);
    }
    if (!device) {
      const bool missing = device.error().kind == ErrorKind::not_found;
      co_return tl::unexpected(
          Refused{400, missing ? "stat " + path + ": no such file or directory" : device.error().message()});
    }
    place.device = std::move(*device);
    co_return place;
  }

  /// Takes its place, answers 101, and carries the bytes or hands the device over.
  asio::awaitable<void> open(net::StreamPtr& client, const Opening& opening, const std::string& leftover) {
    auto place = co_await take_place(opening);
    if (!place) {
      spdlog::info("VMI {}: a session is refused ({}) {}", name_of(opening), place.error().status, place.error().text);
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
    const Registered session(sessions_, {opening.guest.uid, opening.request.kind, end});
    const std::string response = websocket::upgrade_response(opening.head) + websocket::first_ping();
    const auto bytes = std::as_bytes(std::span(response));
    const auto answered = co_await client->write_all(bytes);
    if (!answered) co_return;
    spdlog::info("VMI {}: session on {} begins", name_of(opening), place.socket_name);
    auto options = options_.websocket;
    options.first_ping_sent = true;
    websocket::Channel channel(std::move(client), websocket::Role::server, options, std::as_bytes(std::span(leftover)));
    bridge::StreamGuard guard;
    const bool guarded = opening.request.kind == ChannelRequest::Kind::usbredir;
    bridge::Ends ends{channel, *place.device, guarded ? &guard : nullptr, end, traffic_};
    co_await bridge::run(std::move(ends));
    const websocket::CloseInfo& close = channel.close_info();
    spdlog::info("VMI {}: session on {} has ended ({}{}{})", name_of(opening), place.socket_name, close.code,
                 close.reason.empty() ? "" : ": ", close.reason);
  }

  /// Gives the device's socket to the API server, and waits for the end of the lease, that is of the node channel.
  asio::awaitable<void> hand_over(net::Stream& client, const Opening& opening, const Place& place) {
    asio::error_code code;
    // Taken out of the loop, which would otherwise wake up with every byte for the API server. This copy ends the
    // device's connection whatever the API server does: when the slot is free, the connection is closed.
    const Fd device(place.device->socket().release(code));
    const auto end = [&device, &client] {
      bridge::end_device(device.get());
      client.close();
    };
    const Registered session(sessions_, {opening.guest.uid, opening.request.kind, end});
    const std::string response = bridge::with_handoff(websocket::upgrade_response(opening.head));
    const auto answered = co_await bridge::send_handoff(client, response, device.get());
    if (answered) {
      spdlog::info("VMI {}: session on {} begins, handed over", name_of(opening), place.socket_name);
      co_await bridge::lease_ends(client);
      spdlog::info("VMI {}: session on {} has ended", name_of(opening), place.socket_name);
    }
    end();
  }

  static std::string name_of(const Opening& opening) {
    return opening.request.vmi_namespace + "/" + opening.request.name;
  }

  static bool is_same(const Session& session, const Opening& opening) {
    return session.uid == opening.guest.uid && session.kind == opening.request.kind;
  }

  [[nodiscard]] bool has_session(const Opening& opening) const {
    return std::any_of(sessions_.begin(), sessions_.end(),
                       [&](const Session* session) { return is_same(*session, opening); });
  }

  /// Consoles and VNC: a newer session takes over.
  void end_older(const Opening& opening) {
    for (const Session* session : sessions_) {
      if (is_same(*session, opening)) session->end();
    }
  }

  asio::awaitable<Result<std::size_t>> read_head(net::Stream& client, std::string& text) {
    const net::Deadline deadline(loop_.get_executor(), kHeadTime, [&client] { client.close(); });
    while (true) {
      if (const auto length = websocket::head_length(text)) co_return *length;
      if (text.size() > websocket::kMaxHeadBytes) {
        const Refused refused{400, "Bad Request\nthe head is too long"};
        co_await refuse(client, refused);
        co_return make_error(ErrorKind::protocol, "read", "a request", "its head is too long");
      }
      const std::size_t size = text.size();
      text.resize(size + 2048);
      const auto room = std::as_writable_bytes(std::span(text).subspan(size));
      const auto got = co_await client.read_some(room);
      text.resize(size + got.value_or(0));
      if (!got) co_return tl::unexpected(got.error());
      if (*got == 0) co_return make_error(ErrorKind::unavailable, "read", "a request", "the peer closed");
    }
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
  std::set<const Session*> sessions_;
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
