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
#include <set>

#include "common/fd.h"
#include "common/log.h"
#include "common/net/deadline.h"
#include "common/net/stream.h"
#include "common/websocket/handshake.h"
#include "launcher-sim/bridge.h"
#include "launcher-sim/channel_request.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/slot_table.h"

namespace usbloop::launcher {
namespace {

using Local = asio::local::stream_protocol;

constexpr std::chrono::milliseconds kHeadTime{10'000};
/// Connections in the handshake or open, all guests together.
constexpr std::size_t kMaxConnections = 4096;

/// A refusal: HTTP status and text.
struct Refused {
  int status;
  std::string text;
};

/// One open session. The stream is borrowed from its coroutine, which takes the session out before it ends.
struct Session {
  std::string uid;
  ChannelRequest::Kind kind;
  net::Stream* device;
};

}  // namespace

class ChannelServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& loop, const GuestRegistry& guests, websocket::ChannelOptions options)
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

  void end_sessions(const std::string& uid) {
    for (const Session* session : sessions_) {
      if (session->uid == uid) session->device->close();
    }
  }

  void stop() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    for (const Session* session : sessions_) session->device->close();
  }

 private:
  asio::awaitable<void> accept() {
    while (acceptor_.is_open()) {
      asio::error_code code;
      Local::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
      if (!acceptor_.is_open()) co_return;
      if (code) {
        spdlog::warn("cannot accept on the node channel: {}", code.message());
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
    const auto head = websocket::parse_request_head(std::string_view(text).substr(0, *length));
    if (!head) co_return co_await refuse(*client, {400, "Bad Request\n" + head.error().cause});
    const auto request = parse_channel_target(head->target);
    if (!request) co_return co_await refuse(*client, {404, "404: Page Not Found"});
    const auto guest = guests_.find(request->vmi_namespace, request->name);
    if (!guest) {
      co_return co_await refuse(*client,
                                {404, "VMI " + request->vmi_namespace + "/" + request->name + " does not exist"});
    }
    if (const auto cause = websocket::upgrade_refusal(*head); !cause.empty()) {
      co_return co_await refuse(*client, {400, "Bad Request\n" + cause});
    }
    co_await open(std::move(client), *head, *request, *guest, text.substr(*length));
  }

  /// Takes the device's socket, answers 101 and carries the bytes.
  asio::awaitable<void> open(net::StreamPtr client, websocket::Head head, ChannelRequest request, GuestAddress guest,
                             std::string leftover) {
    std::optional<SlotTable::Lease> lease;
    std::string socket_name = kSerialSocket;
    if (request.kind == ChannelRequest::Kind::usbredir) {
      lease = slots_.take(guest.uid);
      if (!lease) {
        spdlog::info("VMI {}/{}: all USB slots are in use", request.vmi_namespace, request.name);
        co_return co_await refuse(*client, {503, {}});
      }
      socket_name = usb_socket_name(lease->index());
    } else {
      end_console(guest.uid);
    }
    auto device = net::connect_unix(loop_.get_executor(), guest.directory + "/" + socket_name);
    if (!device) {
      const std::string path = guest.directory + "/" + socket_name;
      co_return co_await refuse(*client, {400, "stat " + path + ": no such file or directory"});
    }
    const std::string response = websocket::upgrade_response(head);
    if (!co_await client->write_all(std::as_bytes(std::span(response)))) co_return;

    const std::string what = request.vmi_namespace + "/" + request.name + " " + socket_name;
    spdlog::info("VMI {}: session begins", what);
    websocket::Channel channel(std::move(client), websocket::Role::server, options_,
                               std::as_bytes(std::span(leftover)));
    Session session{guest.uid, request.kind, device->get()};
    sessions_.insert(&session);
    co_await bridge(channel, **device);
    sessions_.erase(&session);
    spdlog::info("VMI {}: session ended", what);
  }

  void end_console(const std::string& uid) {
    for (const Session* session : sessions_) {
      if (session->uid == uid && session->kind == ChannelRequest::Kind::console) session->device->close();
    }
  }

  asio::awaitable<Result<std::size_t>> read_head(net::Stream& client, std::string& text) {
    const net::Deadline deadline(loop_.get_executor(), kHeadTime, [&client] { client.close(); });
    while (true) {
      if (const auto length = websocket::head_length(text)) co_return *length;
      if (text.size() > websocket::kMaxHeadBytes) {
        co_await refuse(client, {400, "Bad Request\nthe head is too long"});
        co_return make_error(ErrorKind::protocol, "read", "a request", "its head is too long");
      }
      const std::size_t size = text.size();
      text.resize(size + 2048);
      const auto got = co_await client.read_some(std::as_writable_bytes(std::span(text).subspan(size)));
      text.resize(size + got.value_or(0));
      if (!got) co_return tl::unexpected(got.error());
      if (*got == 0) co_return make_error(ErrorKind::unavailable, "read", "a request", "the peer closed");
    }
  }

  static asio::awaitable<void> refuse(net::Stream& client, Refused refused) {
    const std::string response = refusal_response(refused.status, refused.text);
    (void)co_await client.write_all(std::as_bytes(std::span(response)));
    client.shutdown_write();
  }

  asio::io_context& loop_;
  const GuestRegistry& guests_;
  const websocket::ChannelOptions options_;
  Fd folder_;
  Local::acceptor acceptor_;
  std::size_t connections_ = 0;
  SlotTable slots_;
  std::set<const Session*> sessions_;
};

ChannelServer::ChannelServer(asio::io_context& loop, const GuestRegistry& guests, websocket::ChannelOptions options)
    : impl_(std::make_shared<Impl>(loop, guests, options)), loop_(loop) {}
ChannelServer::~ChannelServer() = default;

Result<> ChannelServer::listen(const std::string& path) { return impl_->listen(path); }

void ChannelServer::end_sessions(const std::string& uid) {
  asio::post(loop_, [impl = impl_, uid] { impl->end_sessions(uid); });
}

void ChannelServer::stop() {
  asio::post(loop_, [impl = impl_] { impl->stop(); });
}

}  // namespace usbloop::launcher
