#include "launcher-sim/guest.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/log.h"
#include "common/process_watch.h"
#include "launcher-sim/guest_record.h"
#include "launcher-sim/power_button.h"
#include "launcher-sim/qemu_log.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using State = GuestView::State;
namespace fs = std::filesystem;

constexpr auto kQmpTimeout = 1s;
constexpr auto kPressEvery = 1s;     ///< a guest that begins to listen for the button later hears the next press
constexpr auto kPressRarely = 5s;    ///< as virt-handler does, for guests that take long
constexpr auto kPressOften = 10s;    ///< from the first press
constexpr auto kQuitTime = 1s;       ///< from QMP's quit to SIGKILL
constexpr auto kEndTime = 10s;       ///< from QEMU's word that it ends to SIGKILL: it has closed its disks long before
constexpr auto kRebootTime = 60s;    ///< for a guest to react to its power button
constexpr auto kStartTimeout = 60s;  ///< until QEMU says that the guest runs

}  // namespace

Result<std::unique_ptr<Guest>> Guest::start(const GuestSpec& spec, const QemuHost& host, std::string directory) {
  GuestRecord record{spec};
  return launch(record, qemu_command(spec, host), std::move(directory));
}

/// Makes the folder and starts QEMU in it. The record is written before and after: QEMU is never without one.
Result<std::unique_ptr<Guest>> Guest::launch(GuestRecord& record, std::vector<std::string> argv,
                                             std::string directory) {
  std::error_code code;
  fs::remove_all(directory, code);
  fs::create_directory(directory, code);
  if (code) return make_error(ErrorKind::internal, "make", directory, code.message());
  fs::permissions(directory, fs::perms::owner_all, code);
  if (auto written = write_record(directory, record); !written) return tl::unexpected(written.error());

  ProcessSpec process = qemu_process(std::move(argv), directory);
  process.pid_file = kPidFile;
  auto child = Process::spawn(process);
  if (!child) return tl::unexpected(child.error());

  std::unique_ptr<Guest> guest(new Guest(record.spec, std::move(directory)));
  guest->pid_ = child->pid();
  auto pidfd = open_pidfd(child->pid());
  if (!pidfd) return tl::unexpected(pidfd.error());
  guest->pidfd_ = std::move(*pidfd);
  guest->child_.emplace(std::move(*child));
  if (const auto start_time = process_start_time(guest->pid_)) record.start_time = *start_time;
  if (auto written = write_record(guest->directory_, record); !written) {
    guest->kill_and_wait(kQuitTime);
    return tl::unexpected(written.error());
  }
  return guest;
}

Result<std::unique_ptr<Guest>> Guest::adopt(std::string directory) {
  auto record = read_record(directory);
  if (!record) return tl::unexpected(record.error());
  std::unique_ptr<Guest> guest(new Guest(record->spec, std::move(directory)));
  guest->view_.cloned = record->clone.has_value();
  const auto pid = read_pid(guest->directory_);
  if (!pid && !record->start_time) {
    return make_error(ErrorKind::not_found, "take over", guest->directory_, "its guest was never started");
  }
  if (pid && is_recorded_process(*pid, guest->directory_, *record)) {
    guest->pid_ = *pid;
    if (auto pidfd = open_pidfd(*pid)) guest->pidfd_ = std::move(*pidfd);
    // The pid may have gone to another process between the two looks; the descriptor cannot.
    if (guest->pidfd_ && !is_recorded_process(*pid, guest->directory_, *record)) guest->pidfd_.reset();
  }
  if (guest->pidfd_ && has_announced_end(guest->directory_)) guest->ending_since_ = Clock::now();
  if (record->clone == CloneState::being_made) {
    guest->kill_and_wait(kQuitTime);
    static_cast<void>(guest->remove_directory());
    return make_error(ErrorKind::not_found, "take over", guest->directory_, "its guest was not whole yet");
  }
  return guest;
}

Guest::~Guest() {
  if (child_) child_->detach();
}

bool Guest::has_process_ended() { return !pidfd_ || wait_pidfd(pidfd_.get(), 0ms); }

GuestView Guest::observe() {
  if (view_.state == State::ended) return view_;
  if (has_process_ended()) {
    note_end();
    return view_;
  }
  if (qmp_ && !qmp_->take_events()) drop_qmp();
  note_announced_end();
  if (ending_since_ && Clock::now() - *ending_since_ > kEndTime) send_signal(SIGKILL);
  if (stopping_since_) {
    view_.state = State::stopping;
  } else if (view_.state == State::starting) {
    if (ensure_qmp()) look_at_status();
  } else if (view_.state == State::running && ensure_qmp() && qmp_->take_status_change()) {
    look_at_status();
  }
  if (view_.rebooting && Clock::now() - reboot_since_ > kRebootTime) give_reboot_up();
  check_start_time();
  return view_;
}

/// Asks QEMU for its own state, which outlives a launcher: the next launcher finds a paused guest, or one on its way
/// through a soft reboot, as such.
void Guest::look_at_status() {
  const auto status = qmp_->status(kQmpTimeout);
  if (!status) {
    drop_qmp();
  } else if (*status == "running" || *status == "paused" || *status == "prelaunch") {
    view_.state = State::running;
    view_.paused = *status != "running";  // prelaunch: paused and then reset
  } else if (*status == "shutdown") {
    view_.state = State::running;
    finish_reboot();
  }
}

Result<> Guest::perform(GuestAction action) {
  if (stopping_since_) return make_error(ErrorKind::unavailable, "reach", "QEMU", "the guest is being stopped");
  if (ending_since_) return make_error(ErrorKind::unavailable, "reach", "QEMU", "the guest has ended");
  if (!ensure_qmp()) return make_error(ErrorKind::unavailable, "reach", "QEMU", "it does not answer");
  if (action == GuestAction::softreboot) return press_for_reboot();
  const char* command = action == GuestAction::pause     ? "stop"
                        : action == GuestAction::unpause ? "cont"
                                                         : "system_reset";
  auto done = qmp_->execute(command, kQmpTimeout);
  if (!done) {
    if (done.error().kind != ErrorKind::conflict) drop_qmp();
    return tl::unexpected(done.error());
  }
  look_at_status();
  return {};
}

/// Reboots by ACPI, as libvirt does: the guest's system powers itself off, QEMU keeps the machine, and then the machine
/// is reset and goes on.
Result<> Guest::press_for_reboot() {
  for (const auto& [command, arguments] : {std::pair("set-action", nlohmann::json{{"shutdown", "pause"}}),
                                           std::pair("system_powerdown", nlohmann::json::object())}) {
    if (auto done = qmp_->execute(command, arguments, kQmpTimeout); !done) return tl::unexpected(done.error());
  }
  view_.rebooting = true;
  reboot_since_ = Clock::now();
  return {};
}

void Guest::finish_reboot() {
  view_.rebooting = false;
  for (const char* command : {"system_reset", "cont"}) {
    if (!qmp_->execute(command, kQmpTimeout)) return drop_qmp();
  }
  give_reboot_up();
}

/// From now on, a guest that powers itself off has ended again.
void Guest::give_reboot_up() {
  view_.rebooting = false;
  const nlohmann::json end = {{"shutdown", "poweroff"}};
  if (ensure_qmp() && !qmp_->execute("set-action", end, kQmpTimeout)) drop_qmp();
}

void Guest::check_start_time() {
  if (view_.state != State::starting || Clock::now() - started_ < kStartTimeout) return;
  start_failure_ = "QEMU did not report a running guest within 60 s";
  kill_and_wait(kQuitTime);
  if (has_process_ended()) note_end();
}

/// QEMU's word that it ends outlives the connection that brought it.
void Guest::note_announced_end() {
  if (!qmp_) return;
  if (!qmp_->announced_end()) {
    if (ending_since_) unmark_announced_end(directory_);
    ending_since_.reset();
  } else if (!ending_since_) {
    ending_since_ = Clock::now();
    // On its way through a soft reboot the machine is kept: STOP follows, perhaps after our death.
    if (!view_.rebooting) mark_announced_end(directory_);
  }
}

void Guest::drop_qmp() {
  note_announced_end();
  qmp_.reset();
}

/// Connected, or connects if QEMU listens by now. Not to a QEMU that ends: QEMU 7.2 waits at its end for a command that
/// it no longer carries out.
bool Guest::ensure_qmp() {
  note_announced_end();
  if (ending_since_) return false;
  if (qmp_) return true;
  auto qmp = Qmp::connect(directory_, kQmpTimeout);
  if (qmp) qmp_.emplace(std::move(*qmp));
  return qmp_.has_value();
}

void Guest::note_end() {
  std::optional<ExitStatus> status;
  if (child_) {
    const auto ended = child_->wait(kQuitTime);
    if (ended) status = *ended;
  }
  if (qmp_) static_cast<void>(qmp_->take_events());
  drop_qmp();
  std::error_code code;
  // The exit code of an adopted QEMU is unknown, but a QEMU that ends in order removes its pid file.
  const bool removed_pid_file = !fs::exists(path(kPidFile), code);
  view_.state = State::ended;
  view_.ended_well =
      start_failure_.empty() && (told_to_end_ || ending_since_ || (status ? status->success() : removed_pid_file));
  if (!view_.ended_well) {
    view_.cause = !start_failure_.empty() ? start_failure_
                  : status                ? "QEMU ended with " + status->text()
                                          : "QEMU ended while nobody watched it";
    if (const std::string words = last_line_of_log(path(kQemuLog)); !words.empty()) view_.cause += ": " + words;
  }
  remove_sockets();
}

void Guest::stop(std::chrono::milliseconds grace) {
  if (has_process_ended()) return;
  const auto now = Clock::now();
  if (!stopping_since_) {
    stopping_since_ = now;
    told_to_end_ = true;
    if (view_.rebooting) give_reboot_up();
  }
  const auto stopping = now - *stopping_since_;
  // Asked once: a guest that has heard the button gets all of its time, whatever its registers say on the way down.
  if (!heard_) heard_ = hears_power_button();
  if (stopping >= grace || heard_ == false) return pull_plug(now);
  if (now - last_press_ < (stopping < kPressOften ? kPressEvery : kPressRarely)) return;
  last_press_ = now;
  if (ensure_qmp() && !qmp_->execute("system_powerdown", kQmpTimeout)) drop_qmp();
}

/// Nothing while QEMU does not say.
std::optional<bool> Guest::hears_power_button() {
  if (!ensure_qmp()) return std::nullopt;
  // Powered off already, and kept by QEMU for a reboot that no longer comes.
  if (const auto status = qmp_->status(kQmpTimeout); status && *status == "shutdown") return false;
  return listens_for_power_button(*qmp_, kQmpTimeout);
}

/// Asks QEMU to end in order, by signal if it does not answer. If it does not end, it is killed.
void Guest::pull_plug(Clock::time_point now) {
  if (!quitting_since_) quitting_since_ = now;
  if (now - *quitting_since_ >= kQuitTime) return kill();
  if (ending_since_ || (ensure_qmp() && qmp_->execute("quit", kQmpTimeout))) return;
  drop_qmp();
  send_signal(SIGTERM);
}

std::chrono::milliseconds Guest::stopping_for() const {
  if (!stopping_since_) return 0ms;
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *stopping_since_);
}

void Guest::kill() {
  told_to_end_ = true;
  if (!stopping_since_) stopping_since_ = Clock::now();
  send_signal(SIGKILL);
}

void Guest::send_signal(int signal) const {
  if (pidfd_) static_cast<void>(::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0));
}

bool Guest::kill_and_wait(std::chrono::milliseconds timeout) {
  kill();
  return !pidfd_ || wait_pidfd(pidfd_.get(), timeout);
}

void Guest::remove_sockets() const {
  std::error_code ignored;
  fs::remove(path(kQmpSocket), ignored);
  fs::remove(path(kSerialSocket), ignored);
  fs::remove(path(kVncSocket), ignored);
  for (int slot = 0; slot < kUsbSlots; ++slot) fs::remove(fs::path(directory_) / usb_socket_name(slot), ignored);
  // Without the file the next launcher would take the guest for one that ended in order, so it stays after a crash.
  if (view_.ended_well) fs::remove(path(kPidFile), ignored);
}

Result<> Guest::remove_directory() const {
  std::error_code code;
  fs::remove_all(directory_, code);
  if (code) return make_error(ErrorKind::internal, "remove", directory_, code.message());
  return {};
}

}  // namespace usbloop::launcher
