#include "kube-sim/http/connection_loop.h"

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <new>

#include "common/log.h"
#include "common/short_slices.h"
#include "kube-sim/http/busy_poll.h"

namespace usbloop::apiserver {
namespace {

using asio::ip::tcp;

/// "127.0.0.1:40404"
std::string text_of(const tcp::endpoint& peer) {
  const std::string address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(peer.port());
}

}  // namespace

void ConnectionLoop::start(std::chrono::microseconds busy_poll, const std::function<bool()>& wanted) {
  thread_ = std::thread([this, busy_poll, wanted] {
    ask_for_short_slices();
    run_polling(context_, busy_poll, wanted);
  });
}

void ConnectionLoop::adopt(Services& services, Accepted accepted, std::function<void()> ended) {
  asio::post(context_, [this, &services, accepted, ended = std::move(ended)] {
    try {
      asio::error_code code;
      tcp::socket socket(context_);
      socket.assign(accepted.protocol, accepted.handle, code);
      if (code) return ended();
      auto work = serve(services, std::move(socket), text_of(accepted.peer));
      asio::co_spawn(context_, std::move(work), [ended](const std::exception_ptr&) { ended(); });
    } catch (const std::bad_alloc&) {  // its socket is closed
      ended();
    }
  });
}

void ConnectionLoop::for_each(void (Connection::*action)()) {
  asio::post(context_, [this, action] {
    for (Connection* connection : connections_) (connection->*action)();
  });
}

void ConnectionLoop::join() {
  work_.reset();
  if (thread_.joinable()) thread_.join();
}

asio::awaitable<void> ConnectionLoop::serve(Services& services, tcp::socket socket, std::string client) {
  net::Stream::Socket connected(std::move(socket));
  net::enable_keepalive(connected);  // a client that vanishes between two requests, or whose node sends nothing
  Connection connection(services, net::make_plain_stream(std::move(connected)), std::move(client));
  const auto place = connections_.insert(connections_.end(), &connection);
  try {
    co_await connection.run();
  } catch (const std::exception& error) {
    spdlog::error("connection: {}", error.what());
  }
  connections_.erase(place);
}

}  // namespace usbloop::apiserver
