#include "client/stop_signal.h"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

namespace usbloop::client {

class StopSignal::Impl {
 public:
  explicit Impl(std::function<void()> on_stop) : signals_(loop_, SIGINT, SIGTERM), on_stop_(std::move(on_stop)) {
#ifdef SIGHUP
    signals_.add(SIGHUP);  // the terminal was closed
#endif
    wait();
    thread_ = std::thread([this] { loop_.run(); });
  }

  ~Impl() {
    loop_.stop();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

 private:
  void wait() {
    signals_.async_wait([this](const asio::error_code& code, int) {
      if (code) return;
      if (std::exchange(asked_, true)) std::_Exit(1);
      on_stop_();
      wait();
    });
  }

  asio::io_context loop_;
  asio::signal_set signals_;
  std::function<void()> on_stop_;
  bool asked_ = false;
  std::thread thread_;
};

StopSignal::StopSignal(std::function<void()> on_stop) : impl_(std::make_unique<Impl>(std::move(on_stop))) {}
StopSignal::~StopSignal() = default;

}  // namespace usbloop::client
