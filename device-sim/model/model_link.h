#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "common/error.h"
#include "common/fd.h"
#include "device-sim/model/model_message.h"

namespace usbloop::device_sim {

/// The connection to a program that models a device. A thread of its own reads and writes, so that the device never
/// waits. Thread rule: one thread uses it; the wake comes from another one.
class ModelLink {
 public:
  /// Connects to a unix socket, where the program listens, and hears what its device is. Takes at most two seconds.
  /// Errors: those of the socket, timeout, and those of parse_model_hello().
  static Result<std::unique_ptr<ModelLink>> connect(const std::string& path);
  ~ModelLink();
  ModelLink(const ModelLink&) = delete;
  ModelLink& operator=(const ModelLink&) = delete;

  [[nodiscard]] const ModelHello& hello() const { return hello_; }

  /// Called when an answer has come, and when the connection has ended; must only schedule a look. Null: nothing. The
  /// one before is not called any more when this returns.
  void set_wake(std::function<void()> wake);

  /// What waits for a program that does not read, in bytes; one line may go over it. More ends the connection.
  static constexpr std::size_t kMostUnread = std::size_t{16} << 20;

  /// Sends a line. `id` when it is a question: its answer is kept for take().
  void send(const std::string& line, std::optional<std::uint64_t> id = std::nullopt);
  /// The answer to a question, once.
  std::optional<ModelAnswer> take(std::uint64_t id);
  /// Nobody waits for the answer any more.
  void forget(std::uint64_t id);

  /// Why the connection has ended; nothing as long as it has not.
  [[nodiscard]] std::optional<Error> trouble() const;

 private:
  ModelLink(Fd socket, Fd poke, std::string path);
  Result<> hear_hello();
  void run(const std::stop_token& stop);
  [[nodiscard]] bool write_some();
  [[nodiscard]] bool read_some();
  bool take_lines();
  void end(Error error);

  const std::string path_;
  const Fd socket_;
  const Fd poke_;  ///< an eventfd: there is something to write, or the end
  ModelHello hello_;
  std::string input_;  ///< the thread's, once it runs

  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string output_;
  std::set<std::uint64_t> asked_;
  std::map<std::uint64_t, ModelAnswer> answers_;
  std::optional<Error> trouble_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace usbloop::device_sim
