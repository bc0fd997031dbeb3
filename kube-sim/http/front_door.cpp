#include "kube-sim/http/front_door.h"

#include <unistd.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "common/log.h"
#include "common/repeated_error.h"
#include "kube-sim/http/connection_loop.h"
#include "kube-sim/http/keyed_limit.h"

namespace usbloop::apiserver {
namespace {

using asio::ip::tcp;

constexpr std::chrono::milliseconds kPauseAfterError{50};

}  // namespace

class FrontDoor::Impl {
 public:
  explicit Impl(Services& services)
      : services_(services), addresses_(services.limits.connections_per_address), acceptor_(accepting_.context()) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    loops_.resize(std::min(4U, cores));
    for (auto& loop : loops_) loop = std::make_unique<ConnectionLoop>();
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
    const auto streams = [this] { return services_.streams.active() > 0; };
    for (auto& loop : loops_) loop->start(services_.busy_poll, streams);
    asio::co_spawn(accepting_.context(), accept(), asio::detached);
    accepting_.start({}, streams);
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
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, services_.limits.stop_grace, [this] { return cut_ || services_.connections == 0; });
    }
    for (auto& loop : loops_) loop->for_each(&Connection::abort);
    for (auto& loop : loops_) loop->join();
  }

  void cut() {
    const std::scoped_lock lock(mutex_);
    cut_ = true;
    ended_.notify_all();
  }

 private:
  asio::awaitable<void> accept() {
    std::size_t next = 0;
    while (acceptor_.is_open()) {
      try {
        ConnectionLoop& loop = *loops_[next];
        next = (next + 1) % loops_.size();
        co_await accept_for(loop);
      } catch (const std::bad_alloc&) {
        spdlog::error("accept: out of memory");
        std::this_thread::sleep_for(kPauseAfterError);  // a timer would need some; nobody else uses this thread
      }
    }
  }

  asio::awaitable<void> accept_for(ConnectionLoop& loop) {
    asio::error_code code;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::operation_aborted || code == asio::error::bad_descriptor) co_return;
    if (code) {
      // No descriptors left, or the client went before we came: connections that end make room again.
      errors_.report("accept: " + code.message());
      asio::steady_timer pause(accepting_.context(), kPauseAfterError);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
      co_return;
    }
    const tcp::endpoint peer = socket.remote_endpoint(code);
    if (!code) admit(std::move(socket), peer, loop);
  }

  /// Gives the connection to the loop, unless there are too many.
  void admit(tcp::socket socket, const tcp::endpoint& peer, ConnectionLoop& loop) {
    const std::string address = peer.address().to_string();
    if (services_.connections >= services_.limits.connections) {
      services_.refusals.count(Refusal::connection_limit);
      spdlog::warn("refused a connection from {}: {} are open", address, services_.limits.connections);
      return;
    }
    if (!addresses_.take(address)) {
      services_.refusals.count(Refusal::address_limit);
      spdlog::warn("refused a connection from {}: it has {} already", address,
                   services_.limits.connections_per_address);
      return;
    }
    ++services_.connections;
    asio::error_code code;
    const tcp protocol = peer.protocol();
    const auto handle = socket.release(code);
    if (code) return end_of(address);
    try {
      loop.adopt(services_, {handle, protocol, peer}, [this, address] { end_of(address); });
    } catch (const std::bad_alloc&) {
      ::close(handle);
      end_of(address);
      throw;
    }
  }

  void end_of(const std::string& address) {
    addresses_.give_back(address);
    const std::scoped_lock lock(mutex_);
    --services_.connections;
    ended_.notify_all();
  }

  Services& services_;
  KeyedLimit addresses_;
  RepeatedError errors_;  ///< of accept(), many times a second while they last
  std::mutex mutex_;      ///< of cut_ and of the end of a connection
  std::condition_variable ended_;
  bool cut_ = false;
  ConnectionLoop accepting_;
  tcp::acceptor acceptor_;
  std::vector<std::unique_ptr<ConnectionLoop>> loops_;
  bool stopped_ = false;
};

FrontDoor::FrontDoor(Services& services) : impl_(std::make_unique<Impl>(services)) {}
FrontDoor::~FrontDoor() { stop(); }
Result<std::uint16_t> FrontDoor::listen(const std::string& address, std::uint16_t port) {
  return impl_->listen(address, port);
}
void FrontDoor::start() { impl_->start(); }
void FrontDoor::stop() { impl_->stop(); }
void FrontDoor::cut() { impl_->cut(); }

}  // namespace usbloop::apiserver
