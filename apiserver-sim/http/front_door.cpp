#include "apiserver-sim/http/front_door.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <list>
#include <thread>
#include <vector>

#include "apiserver-sim/http/connection.h"
#include "common/log.h"

namespace usbloop::apiserver {
namespace {

using asio::ip::tcp;

/// "127.0.0.1:40404"; empty when the client has gone already.
std::string text_of_peer(const tcp::socket& socket) {
  asio::error_code code;
  const tcp::endpoint peer = socket.remote_endpoint(code);
  if (code) return {};
  const std::string address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(peer.port());
}

/// One thread with its event loop and the connections that live in it.
class Loop {
 public:
  Loop() : context_(1), work_(asio::make_work_guard(context_)) {}
  ~Loop() { join(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  asio::io_context& context() { return context_; }
  void start() {
    thread_ = std::thread([this] { context_.run(); });
  }

  /// From any thread. Takes the connection over.
  void adopt(Services& services, tcp::socket::native_handle_type handle, const tcp& protocol) {
    asio::post(context_, [this, &services, handle, protocol] {
      asio::error_code code;
      tcp::socket socket(context_);
      socket.assign(protocol, handle, code);
      if (code) return;
      asio::co_spawn(context_, serve(services, std::move(socket)), asio::detached);
    });
  }

  void for_each(void (Connection::*action)()) {
    asio::post(context_, [this, action] {
      for (Connection* connection : connections_) (connection->*action)();
    });
  }

  /// The loop ends when its last connection has.
  void join() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

 private:
  asio::awaitable<void> serve(Services& services, tcp::socket socket) {
    std::string client = text_of_peer(socket);
    Connection connection(services, net::make_plain_stream(net::Stream::Socket(std::move(socket))), std::move(client));
    const auto place = connections_.insert(connections_.end(), &connection);
    try {
      co_await connection.run();
    } catch (const std::exception& error) {
      spdlog::error("connection: {}", error.what());
    }
    connections_.erase(place);
    --services.connections;
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::list<Connection*> connections_;
  std::thread thread_;
};

}  // namespace

class FrontDoor::Impl {
 public:
  explicit Impl(Services& services) : services_(services), acceptor_(accepting_.context()) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    loops_.resize(std::min(4U, cores));
    for (auto& loop : loops_) loop = std::make_unique<Loop>();
  }

  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port) {
    asio::error_code code;
    const auto ip = asio::ip::make_address(address, code);
    const std::string object = address + " port " + std::to_string(port);
    if (code) return make_error(ErrorKind::invalid, "listen on", object, "not an IP address");
    const tcp::endpoint endpoint(ip, port);
    if (acceptor_.is_open()) acceptor_.close(code);
    acceptor_.open(endpoint.protocol(), code);
    if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor_.bind(endpoint, code);
    if (!code) acceptor_.listen(1024, code);
    if (code) return make_errno_error("listen on", object, code.value());
    return acceptor_.local_endpoint(code).port();
  }

  void start() {
    for (auto& loop : loops_) loop->start();
    asio::co_spawn(accepting_.context(), accept(), asio::detached);
    accepting_.start();
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    asio::post(accepting_.context(), [this] {
      asio::error_code ignored;
      acceptor_.close(ignored);
    });
    accepting_.join();
    for (auto& loop : loops_) loop->for_each(&Connection::stop);
    const auto end = std::chrono::steady_clock::now() + services_.limits.stop_grace;
    while (services_.connections > 0 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    for (auto& loop : loops_) loop->for_each(&Connection::abort);
    for (auto& loop : loops_) loop->join();
  }

 private:
  asio::awaitable<void> accept() {
    std::size_t next = 0;
    while (acceptor_.is_open()) {
      asio::error_code code;
      tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
      if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) co_return;
      if (code) {
        // No descriptors left, or the client went before we came: connections that end make room again.
        spdlog::warn("accept: {}", code.message());
        asio::steady_timer pause(accepting_.context(), std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
        continue;
      }
      if (services_.connections >= services_.limits.connections) {
        spdlog::warn("refused a connection: {} are open", services_.limits.connections);
        continue;
      }
      const tcp protocol = socket.local_endpoint(code).protocol();
      const auto handle = socket.release(code);
      if (code) continue;
      ++services_.connections;
      loops_[next++ % loops_.size()]->adopt(services_, handle, protocol);
    }
  }

  Services& services_;
  Loop accepting_;
  tcp::acceptor acceptor_;
  std::vector<std::unique_ptr<Loop>> loops_;
  bool stopped_ = false;
};

FrontDoor::FrontDoor(Services& services) : impl_(std::make_unique<Impl>(services)) {}
FrontDoor::~FrontDoor() { stop(); }
Result<std::uint16_t> FrontDoor::listen(const std::string& address, std::uint16_t port) {
  return impl_->listen(address, port);
}
void FrontDoor::start() { impl_->start(); }
void FrontDoor::stop() { impl_->stop(); }

}  // namespace usbloop::apiserver
