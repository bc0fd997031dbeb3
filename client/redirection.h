#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "client/device_source.h"
#include "client/messages.h"
#include "client/reconnect.h"
#include "client/session.h"
#include "client/transport.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/websocket/connect.h"

namespace usbloop::client {

struct RedirectionOptions {
  bool once = false;  ///< ends with its first session, however that ends
  Transport transport = Transport::automatic;
  Backoff::Limits backoff;
  std::chrono::milliseconds connect_timeout{15'000};
  /// A session that lasted this long lets the next pauses begin anew.
  std::chrono::milliseconds steady_after{10'000};
  websocket::ChannelOptions channel;
  SessionOptions session;  ///< its on_announced is set here
};

/// What a redirection needs of the program around it.
struct RedirectionHooks {
  /// Tells the person lines of text, without a newline at the end.
  std::function<void(const std::string& lines)> say;
  /// Reads the kubeconfig again: a token may have been renewed since.
  std::function<Result<kube::ClusterAccess>()> reload_access;
  /// Ends the process with status 0, at once; nothing is held. Called from the thread that called stop(). Unwinding
  /// could wait for a name server that does not answer. A hook that returns (in a test) ends run().
  std::function<void()> leave;
};

/// Redirects one device into one VMI until stop(), again and again when the connection, the VMI or the device goes and
/// can come back (reconnect.h). The device is with its driver here whenever no session runs.
class Redirection {
 public:
  /// `device` is prepared.
  Redirection(kube::ClusterAccess access, Target target, std::unique_ptr<DeviceSource> device,
              RedirectionOptions options, RedirectionHooks hooks);

  /// Returns the program's exit status. Call once.
  int run();

  /// Asks it to end; from any thread, once. A session that runs ends in order, within its close timeout and the time
  /// that the device takes. In every other state nothing is held, and the process ends here.
  void stop();

 private:
  /// How one try went. One of the optionals is set; none when we were asked to stop.
  struct Attempt {
    std::optional<Error> not_connected;
    std::optional<websocket::Refusal> refusal;
    std::optional<Error> not_taken;
    std::optional<SessionEnd> end;
    usbredir::HostState device = usbredir::HostState::waiting;  ///< at the session's end
  };

  asio::awaitable<int> redirect();
  asio::awaitable<Attempt> attempt();
  asio::awaitable<Attempt> run_session(websocket::Channel& channel, std::chrono::microseconds round_trip);
  Result<std::unique_ptr<usbredir::HostEnd>> take_device(std::chrono::microseconds round_trip);
  asio::awaitable<void> pause();

  void announced(const usbredir::DeviceDescription& device);
  bool hold();
  void release();
  [[nodiscard]] bool stopped() const { return asked_to_stop_.stop_requested(); }

  // The end of a redirection that is not begun again (redirection_report.cpp).
  int fail(const Error& error);
  int report(const Attempt& attempt);
  int report_refusal(const websocket::Refusal& refusal);
  int report_end(const SessionEnd& end);

  // What keeps it going (redirection_return.cpp). A status ends it.
  std::optional<int> judge(const Attempt& attempt);
  std::optional<int> judge_end(const SessionEnd& end, usbredir::HostState device);
  std::optional<int> judge_refusal(const websocket::Refusal& refusal);
  std::optional<int> judge_state(const websocket::Refusal& refusal);
  /// Tells a reason once, however often it stands in the way.
  void waits_for(const std::string& reason);
  /// Pauses, and waits for the device; false when we were asked to stop.
  asio::awaitable<bool> make_ready();
  void await_device();
  void reload();

  kube::ClusterAccess access_;
  const Target target_;
  const std::unique_ptr<DeviceSource> device_;
  const RedirectionOptions options_;
  const RedirectionHooks hooks_;

  std::stop_source asked_to_stop_;
  std::mutex holding_mutex_;
  bool holding_ = false;  ///< the device is taken, or about to be

  Backoff backoff_;
  bool redirected_ = false;         ///< once at least
  bool denied_ = false;             ///< the last try was
  std::optional<bool> translated_;  ///< the stick is shown as a UAS disk; nothing: not decided yet
  bool reload_ = false;             ///< the kubeconfig may know better
  std::string said_;                ///< the last reason to wait that was told
  std::chrono::steady_clock::time_point announced_at_;

  std::atomic<int> status_{1};
  asio::io_context loop_;  // last: what waits in it refers to the members above
  std::optional<Session> session_;
};

}  // namespace usbloop::client
