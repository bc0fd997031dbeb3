#pragma once

#include <asio/awaitable.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "kube-sim/http/connection.h"
#include "kube-sim/http/services.h"

namespace usbloop::apiserver {

/// A connection that has been accepted, on its way to a loop.
struct Accepted {
  asio::ip::tcp::socket::native_handle_type handle;
  asio::ip::tcp protocol;
  asio::ip::tcp::endpoint peer;
};

/// One thread with its event loop and the connections that live in it.
class ConnectionLoop {
 public:
  ConnectionLoop() : context_(1), work_(asio::make_work_guard(context_)) {}
  ~ConnectionLoop() { join(); }
  ConnectionLoop(const ConnectionLoop&) = delete;
  ConnectionLoop& operator=(const ConnectionLoop&) = delete;

  asio::io_context& context() { return context_; }
  /// `wanted`: whether busy polling pays now (http/busy_poll.h).
  void start(std::chrono::microseconds busy_poll, const std::function<bool()>& wanted);
  /// From any thread. Takes the connection over; `ended` is called in the loop's thread when it is over.
  void adopt(Services& services, Accepted accepted, std::function<void()> ended);
  /// From any thread.
  void for_each(void (Connection::*action)());
  /// The loop ends when its last connection has.
  void join();

 private:
  asio::awaitable<void> serve(Services& services, asio::ip::tcp::socket socket, std::string client);

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::list<Connection*> connections_;
  std::thread thread_;
};

}  // namespace usbloop::apiserver
