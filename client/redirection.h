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
#include "client/event.h"
#include "client/messages.h"
#include "client/reconnect.h"
#include "client/session.h"
#include "client/traffic_meter.h"
#include "client/transport.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/websocket/connect.h"

namespace usbloop::client {

struct RedirectionOptions {
  bool once = false;  ///< ends with its first session, however that ends
  /// While the first try finds all slots taken: waits so long for a free one; zero: without an end.
  std::optional<std::chrono::milliseconds> wait;
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
  /// Tells what has happened; the last call is that of the end. From the thread of run(), or of stop().
  std::function<void(const Event& event)> tell;
  /// Reads the kubeconfig again: a token may have been renewed since.
  std::function<Result<kube::ClusterAccess>()> reload_access;
  /// Ends the process with the status, at once; nothing is held. Called from the thread that called stop(). Unwinding
  /// could wait for a name server that does not answer. A hook that returns (in a test) ends run().
  std::function<void(int status)> leave;
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

  /// What has been carried until now; from any thread.
  [[nodiscard]] Counters counters() const;

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
  using RoundTrip = std::optional<std::chrono::microseconds>;
  [[nodiscard]] RoundTrip way_to_measure() const;
  asio::awaitable<Attempt> run_session(websocket::Channel& channel, RoundTrip round_trip);
  Result<std::unique_ptr<usbredir::HostEnd>> take_device(RoundTrip round_trip);
  asio::awaitable<void> pause();
  [[nodiscard]] bool waited_enough() const;

  void announced(const usbredir::DeviceDescription& device);
  void session_over();
  bool hold();
  void release();
  [[nodiscard]] bool stopped() const { return asked_to_stop_.stop_requested(); }

  // What is told (redirection_events.cpp). An end is told once; end() returns the status of the first.
  void tell(Happening what, const std::string& message = {}, int exit_status = 0);
  int end(Happening what, const std::string& message, int exit_status);
  void note_device();

  // The end of a redirection that is not begun again (redirection_report.cpp).
  int report(const Attempt& attempt);
  int report_refusal(const websocket::Refusal& refusal);
  int report_end(const SessionEnd& how);

  // What keeps it going (redirection_return.cpp). A status ends it.
  std::optional<int> judge(const Attempt& attempt);
  std::optional<int> judge_end(const SessionEnd& how, usbredir::HostState device);
  std::optional<int> judge_refusal(const websocket::Refusal& refusal);
  std::optional<int> judge_state(const websocket::Refusal& refusal);
  /// Tells a reason once, however often it stands in the way.
  void waits_for(Happening what, const std::string& reason);
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
  bool redirected_ = false;  ///< once at least
  bool queued_ = false;      ///< waits for a free slot, or has
  std::chrono::steady_clock::time_point wait_until_ = std::chrono::steady_clock::time_point::max();
  bool denied_ = false;             ///< the last try was
  std::optional<bool> translated_;  ///< the stick is shown as a UAS disk; nothing: not decided yet
  bool reload_ = false;             ///< the kubeconfig may know better
  std::string said_;                ///< the last reason to wait that was told
  std::chrono::steady_clock::time_point announced_at_;

  Traffic traffic_;
  mutable std::mutex told_mutex_;
  DeviceFacts facts_;  // under told_mutex_, and the rest too
  Counters past_;      ///< sessions that were announced, and the time in those that have ended
  bool in_session_ = false;
  std::optional<int> end_told_;  ///< the status that was told

  std::atomic<int> status_{1};
  std::atomic<bool> is_lost_ = false;  ///< its only session was lost
  asio::io_context loop_;              // last: what waits in it refers to the members above
  std::optional<Session> session_;
};

}  // namespace usbloop::client
