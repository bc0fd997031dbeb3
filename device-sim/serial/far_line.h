#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/error.h"
#include "common/fd.h"
#include "common/process.h"
#include "device-sim/serial/far_end.h"

namespace usbloop::device_sim {

/// The far end of a serial line that is outside of this process: bytes pass through a descriptor, which a thread of its
/// own reads and writes. When the other side ends, nobody is there any more, and what the guest sends is lost.
class FarLine final : public FarEnd {
 public:
  /// A TCP connection to `HOST:PORT`, or to `unix:PATH`. Errors: invalid, those of the connection.
  static Result<std::unique_ptr<FarEnd>> connect(const std::string& target);
  /// A pseudoterminal; `link` becomes a symbolic link to it, as long as this lives. Errors: conflict (there is
  /// something of that name, other than an old link).
  static Result<std::unique_ptr<FarEnd>> pseudoterminal(const std::string& link);
  /// A command of the shell, whose standard input and output this is. It is killed with this.
  static Result<std::unique_ptr<FarEnd>> command(const std::string& text);

  ~FarLine() override;

  OutReply put(std::span<const std::byte> data) override;
  std::size_t take(std::span<std::byte> room) override;
  [[nodiscard]] bool empty() const override;
  void clear() override;
  [[nodiscard]] bool is_there() const override;
  void set_wake(std::function<void()> wake) override;

 private:
  FarLine(Fd line, Fd poke, std::string name);
  static Result<std::unique_ptr<FarLine>> start(Fd line, const std::string& name);
  void run(const std::stop_token& stop);
  [[nodiscard]] bool write_some();
  [[nodiscard]] bool read_some();

  const Fd line_;
  const Fd poke_;  ///< an eventfd: there is something to write, room to read, or the end
  const std::string name_;
  Fd keeps_open_;               ///< a pseudoterminal's other end: without it reading would fail
  std::filesystem::path link_;  ///< to remove
  std::optional<Process> process_;

  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::deque<std::byte> for_guest_, from_guest_;
  bool is_there_ = true;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace usbloop::device_sim
