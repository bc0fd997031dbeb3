#include "device-sim/desk/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "common/log.h"

namespace usbloop::desk {

namespace {

using asio::local::stream_protocol;

/// Whether a desk answers there. A socket without one is removed: its desk was killed.
bool is_served(const std::string& path, asio::io_context& loop) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  stream_protocol::socket probe(loop);
  asio::error_code code;
  probe.connect(stream_protocol::endpoint(path), code);
  if (code == asio::error::connection_refused) ::unlink(path.c_str());
  return !code;
}

/// The other side of a unix socket, as the kernel knows it.
ucred peer_of(stream_protocol::socket& socket) {
  ucred peer{.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    peer.uid = static_cast<uid_t>(-1);
  }
  return peer;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& loop, const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return make_error(ErrorKind::invalid, "listen on", path, "a socket's name has at most 107 characters",
                      "Choose a shorter one with --socket.");
  }
  if (is_served(path, loop)) {
    return make_error(ErrorKind::conflict, "begin the desk at", path, "it runs already",
                      "device-sim ctl speaks to it.");
  }
  Acceptor acceptor(loop);
  asio::error_code code;
  acceptor.open(stream_protocol(), code);
  if (!code) acceptor.bind(stream_protocol::endpoint(path), code);
  const bool is_bound = !code;
  // Nobody can connect before listen(), so nobody gets in before the mode is set.
  if (is_bound && ::chmod(path.c_str(), 0600) != 0) code.assign(errno, asio::error::get_system_category());
  if (!code) acceptor.listen(16, code);
  if (code) {
    if (is_bound) ::unlink(path.c_str());
    return make_errno_error("listen on", path, code.value());
  }
  return std::unique_ptr<Server>(new Server(std::move(acceptor), path));
}

Server::~Server() { close(); }

void Server::serve(Desk& desk) { asio::co_spawn(acceptor_.get_executor(), accept(desk), asio::detached); }

asio::awaitable<void> Server::accept(Desk& desk) {
  while (acceptor_.is_open()) {
    asio::error_code code;
    stream_protocol::socket socket(acceptor_.get_executor());
    co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
    if (!code) {
      welcome(desk, std::move(socket));
    } else if (acceptor_.is_open() && code != asio::error::operation_aborted) {
      // No descriptors are left, for example: a visit that ends gives some back.
      constexpr std::chrono::milliseconds kRest{100};
      asio::steady_timer rest(acceptor_.get_executor(), kRest);
      co_await rest.async_wait(asio::redirect_error(asio::use_awaitable, code));
    }
  }
}

void Server::welcome(Desk& desk, stream_protocol::socket socket) {
  const ucred peer = peer_of(socket);
  if (peer.uid != ::geteuid() && peer.uid != 0) {
    spdlog::warn("user {} may not speak to this desk", peer.uid);
    return;
  }
  if (visits_.size() >= kMostVisits) {
    spdlog::warn("process {} is turned away: {} others speak to this desk", peer.pid, visits_.size());
    return;
  }
  auto visit = std::make_shared<Visit>(desk, net::make_plain_stream(net::Stream::Socket(std::move(socket))), peer.pid);
  visits_.insert(visit);
  asio::co_spawn(
      acceptor_.get_executor(), [visit] { return visit->run(); },
      [this, visit](const std::exception_ptr& thrown) {
        visits_.erase(visit);
        if (!thrown) return;
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& exception) {
          spdlog::error("a connection has ended: {}", exception.what());
        }
      });
}

void Server::stop() {
  close();
  for (const auto& visit : visits_) visit->stop();
}

void Server::close() {
  if (!acceptor_.is_open()) return;
  asio::error_code ignored;
  acceptor_.close(ignored);
  ::unlink(path_.c_str());
}

}  // namespace usbloop::desk
