#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/kube/kubeconfig.h"

// For tests only.
namespace usbloop::client::testing {

/// An API server without TLS that answers as the test says. A session that it accepts says five bytes and then nothing.
/// All functions may be called from the test's thread.
class ScriptedServer {
 public:
  ScriptedServer();
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] kube::ClusterAccess access() const;

  /// The whole answers to the next requests for a websocket, in order; when there are none, sessions are accepted.
  void refuse_next(std::string answer);
  /// What it answers to all requests for a websocket without another answer; empty: it accepts them.
  void refuse_all(std::string answer);
  /// The answer to GET for a path that ends like this; everything else is 404.
  void set_object(const std::string& path_end, std::string json);
  void remove_object(const std::string& path_end);
  /// From now on every answer comes one byte at a time, and never ends.
  void drip(bool also_websockets);

  /// Waits until so many sessions have been accepted in all; false when that takes too long.
  [[nodiscard]] bool wait_sessions(std::size_t count);
  [[nodiscard]] bool wait_requests(std::size_t count);
  /// Waits until no session is open.
  [[nodiscard]] bool wait_no_session();
  [[nodiscard]] std::size_t requests() const;

  /// Ends all open sessions: without a word, or with a Close frame.
  void cut();
  void close(std::uint16_t code);
  /// Ends as a killed server: nobody listens, nothing is open. start() listens on the same port again.
  void kill();
  void start();

 private:
  struct Connection;
  void listen();
  void serve(const std::shared_ptr<Connection>& connection);
  void answer(Connection& connection, const std::string& head);
  void run_session(Connection& connection, const std::string& head);
  std::string next_refusal();
  std::string object_for(const std::string& target);
  void send(Connection& connection, const std::string& text, bool dripping);
  [[nodiscard]] bool wait(const std::function<bool()>& condition);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint16_t> port_ = 0;  ///< read by the client's thread while it starts again
  int listener_ = -1;
  std::thread acceptor_;
  std::vector<std::thread> servers_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::deque<std::string> refusals_;
  std::string refuse_all_;
  std::map<std::string, std::string> objects_;
  bool drips_objects_ = false;
  bool drips_websockets_ = false;
  bool ending_ = false;
  std::size_t sessions_ = 0;
  std::size_t requests_ = 0;
};

/// A whole HTTP answer with a Status.
std::string status_answer(int code, const std::string& message);

}  // namespace usbloop::client::testing
