#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/fd.h"
#include "common/process.h"
#include "launcher-sim/decision.h"
#include "launcher-sim/guest_action.h"
#include "launcher-sim/guest_record.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/qmp.h"
#include "launcher-sim/template_store.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

/// The guest of one VMI: its folder and its QEMU process, started here or taken over from an earlier launcher. The
/// process outlives this object and this launcher: only stop() and kill() end it. For one thread at a time.
class Guest {
 public:
  /// Makes `directory` and starts QEMU in it, in a session of its own.
  static Result<std::unique_ptr<Guest>> start(const GuestSpec& spec, const QemuHost& host, std::string directory);

  /// The same as a copy of the template, in place of a boot: on return the guest is a machine of its own that has said
  /// that it is ready. Takes some tenths of a second. On an error nothing of it is left, and start() may be called.
  static Result<std::unique_ptr<Guest>> clone(const GuestSpec& spec, const QemuHost& host, std::string directory,
                                              const GuestTemplate& from, const std::stop_token& stop);

  /// Takes over what is in `directory`: a QEMU that runs, or one that ended unobserved (observe() says so).
  /// ErrorKind::invalid when the folder is no guest's, not_found when its guest was never started. A copy of a template
  /// that was not whole when its launcher died is ended and removed, and was never started either.
  static Result<std::unique_ptr<Guest>> adopt(std::string directory);

  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  [[nodiscard]] const GuestSpec& spec() const { return spec_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Becomes readable when QEMU has ended; -1 when QEMU has not run since this object was made.
  [[nodiscard]] int exit_fd() const { return pidfd_.get(); }

  /// Looks at QEMU; takes at most a second (when it does not answer).
  GuestView observe();

  /// Performs the action; takes at most a few seconds when QEMU does not answer. ErrorKind::unavailable when QEMU does
  /// not listen, conflict when it refuses. A soft reboot only begins here: observe() completes it.
  Result<> perform(GuestAction action);

  /// Presses the power button, and again later. Pulls the plug when `grace` has passed since the first call, or at once
  /// when the guest's system does not listen for the button (power_button.h): it could not react. Call it several times
  /// a second until observe() says `ended`, each time with the grace that holds now.
  void stop(std::chrono::milliseconds grace);
  /// How long ago stop() was called first; 0 when it was not.
  [[nodiscard]] std::chrono::milliseconds stopping_for() const;
  /// Pulls the plug.
  void kill();
  /// Kills and waits for the end of the process, at most `timeout`.
  bool kill_and_wait(std::chrono::milliseconds timeout);

  /// Removes the sockets, so that nothing looks alive; the logs stay. When QEMU has ended.
  void remove_sockets() const;
  /// Removes the folder. When QEMU has ended.
  [[nodiscard]] Result<> remove_directory() const;

 private:
  static Result<std::unique_ptr<Guest>> launch(GuestRecord& record, std::vector<std::string> argv,
                                               std::string directory);
  Result<> come_to_life(const QemuHost& host, const GuestTemplate& from, const std::stop_token& stop);

  Guest(GuestSpec spec, std::string directory) : spec_(std::move(spec)), directory_(std::move(directory)) {}

  [[nodiscard]] bool has_process_ended();
  void note_end();
  void note_announced_end();
  void drop_qmp();
  bool ensure_qmp();
  void look_at_status();
  Result<> press_for_reboot();
  void finish_reboot();
  void give_reboot_up();
  void check_start_time();
  [[nodiscard]] std::optional<bool> hears_power_button();
  void pull_plug(std::chrono::steady_clock::time_point now);
  void send_signal(int signal) const;
  [[nodiscard]] std::string path(const char* file) const { return directory_ + "/" + file; }

  GuestSpec spec_;
  std::string directory_;
  pid_t pid_ = -1;
  Fd pidfd_;
  std::optional<Process> child_;  ///< when we started it; detached at the end of this object
  std::optional<Qmp> qmp_;
  GuestView view_{GuestView::State::starting, false, {}};
  bool told_to_end_ = false;
  std::chrono::steady_clock::time_point reboot_since_{};
  std::string start_failure_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> ending_since_;  ///< since QEMU announced its end
  std::optional<std::chrono::steady_clock::time_point> stopping_since_;
  std::optional<std::chrono::steady_clock::time_point> quitting_since_;
  std::optional<bool> heard_;  ///< whether the first press of stop() that QEMU took was heard
  std::chrono::steady_clock::time_point last_press_{};
};

}  // namespace usbloop::launcher
