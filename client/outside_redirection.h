#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "client/launched_program.h"
#include "client/messages.h"
#include "client/outside_session.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/net/address.h"
#include "common/websocket/connect.h"

namespace usbloop::client {

struct OutsideOptions {
  net::Address listen{"127.0.0.1", 0, {}};            ///< where the usbredir program connects to
  std::string launch;                                 ///< that program; empty: somebody else starts it
  std::string device;                                 ///< as it takes it after --device
  std::chrono::milliseconds connect_timeout{15'000};  ///< of the API server
  /// A program that we have started connects at once, or is broken.
  std::chrono::milliseconds launch_timeout{30'000};
  websocket::ChannelOptions channel;
};

struct OutsideHooks {
  /// Tells the person lines of text, without a newline at the end.
  std::function<void(const std::string& lines)> say;
  /// Tells whom it may concern (a script) where to connect: one line, on standard output.
  std::function<void(const std::string& line)> tell;
  /// Ends the process with the status, at once; nothing is held. A hook that returns (in a test) ends run().
  std::function<void(int status)> leave;
};

/// One redirection for which another program of this machine speaks usbredir, as with virtctl: a websocket, one local
/// connection, and the bytes between them. It ends with its first session.
class OutsideRedirection {
 public:
  OutsideRedirection(kube::ClusterAccess access, Target target, OutsideOptions options, OutsideHooks hooks);

  /// Returns the program's exit status. Call once.
  int run();

  /// Asks it to end; from any thread.
  void stop();

 private:
  asio::awaitable<int> redirect();
  asio::awaitable<Result<websocket::Opened>> open();
  asio::awaitable<SessionEnd> serve(websocket::Channel& channel, net::Listener& listener);
  asio::awaitable<void> run_program(const std::string& address);
  void connected();
  [[nodiscard]] std::string program_name() const;
  [[nodiscard]] Error ended_early(const ExitStatus& status) const;
  int report(const SessionEnd& end);
  int fail(const Error& error);

  const kube::ClusterAccess access_;
  const Target target_;
  const OutsideOptions options_;
  const OutsideHooks hooks_;
  std::stop_source asked_to_stop_;
  int status_when_left_ = 0;  ///< what leaving gives now; of the loop's thread
  asio::io_context loop_;
  std::optional<OutsideSession> session_;
  std::unique_ptr<LaunchedProgram> program_;
};

}  // namespace usbloop::client
