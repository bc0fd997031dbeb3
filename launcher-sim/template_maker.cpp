#include "launcher-sim/template_maker.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/process.h"
#include "common/stop_wait.h"
#include "launcher-sim/console_lines.h"
#include "launcher-sim/device_state.h"
#include "launcher-sim/qemu_log.h"
#include "launcher-sim/qmp.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kTemplateListenTime = 10s;
constexpr auto kMonitorGreetingTime = 2s;
constexpr auto kTemplateBootTime = 60s;
constexpr auto kTemplateStateTime = 20s;
constexpr auto kTemplateMonitorTime = 5s;
constexpr auto kTemplateEndTime = 5s;

/// QEMU would make it, for others to read.
Result<> make_memory_file(const std::string& path, std::int64_t mib) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return make_errno_error("make", path);
  if (::ftruncate(file.get(), static_cast<off_t>(mib) * 1024 * 1024) != 0) return make_errno_error("make", path);
  return {};
}

Result<Process> start_machine(const GuestSpec& shape, const QemuHost& host, const TemplateDraft& draft,
                              const std::string& directory) {
  std::error_code code;
  std::filesystem::create_directory(directory, code);
  if (code) return make_error(ErrorKind::internal, "make", directory, code.message());
  if (auto made = make_memory_file(draft.memory_file(), shape.memory_mib); !made) return tl::unexpected(made.error());
  ProcessSpec process = qemu_process(template_command(shape, host, draft.memory_file()), directory);
  process.ends_with_us = true;
  return Process::spawn(process);
}

Result<> wait_for_template(const std::string& directory, const std::stop_token& stop) {
  auto console = ConsoleLines::connect(directory);
  if (!console) return tl::unexpected(console.error());
  const auto said = console->wait_for({"usbloop-guest: template", "usbloop-guest: ready", "usbloop-guest: failed"},
                                      kTemplateBootTime, stop);
  if (!said) return tl::unexpected(said.error());
  if (*said == "usbloop-guest: template") return {};
  return make_error(ErrorKind::conflict, "make a template of", "the guest", "it does not know templates: " + *said,
                    "scripts/build-guest makes one that does.");
}

/// Of a QEMU that has closed its sockets.
std::string cause_of_end(Process& qemu, const std::string& directory) {
  const auto ended = qemu.wait(kTemplateEndTime);
  if (!ended) return "QEMU closed the console";
  std::string text = "QEMU ended with " + ended->text();
  // Its memory is a file: a page that the disk has no room for is an error of the bus.
  if (ended->signal == SIGBUS) return text + ": is the disk full?";
  if (const std::string words = last_line_of_log(directory + "/" + kQemuLog); !words.empty()) text += ": " + words;
  return text;
}

Result<std::string> stop_and_save(Qmp& qmp, const std::stop_token& stop) {
  if (auto stopped = qmp.execute("stop", kTemplateMonitorTime); !stopped) return tl::unexpected(stopped.error());
  return save_device_state(qmp, kTemplateStateTime, stop);
}

}  // namespace

Result<Qmp> connect_when_listening(const std::string& directory, Process& qemu, std::chrono::milliseconds timeout,
                                   const std::stop_token& stop) {
  const auto deadline = Clock::now() + timeout;
  while (wait_unless_stopped(stop, 2ms)) {
    auto qmp = Qmp::connect(directory, kMonitorGreetingTime);
    if (qmp) return qmp;
    if (const auto ended = qemu.try_wait()) {
      return make_error(ErrorKind::unavailable, "reach", "QEMU",
                        "it ended with " + ended->text() + ": " + last_line_of_log(directory + "/" + kQemuLog));
    }
    if (Clock::now() > deadline) return qmp;
  }
  return make_error(ErrorKind::cancelled, "reach", "QEMU", "we are to stop");
}

Result<std::string> make_template(const GuestSpec& shape, const QemuHost& host, const TemplateDraft& draft,
                                  const std::stop_token& stop) {
  const std::string directory = draft.directory() + "/machine";
  auto qemu = start_machine(shape, host, draft, directory);
  if (!qemu) return tl::unexpected(qemu.error());
  auto qmp = connect_when_listening(directory, *qemu, kTemplateListenTime, stop);
  if (!qmp) return tl::unexpected(qmp.error());
  if (auto waited = wait_for_template(directory, stop); !waited) {
    if (waited.error().kind != ErrorKind::unavailable) return tl::unexpected(waited.error());
    return make_error(ErrorKind::unavailable, "boot", "a template", cause_of_end(*qemu, directory));
  }
  auto state = stop_and_save(*qmp, stop);
  if (!state) return state;
  // Its memory is whole in the file whichever way it ends.
  static_cast<void>(qmp->execute("quit", kTemplateMonitorTime));
  qemu->stop(kTemplateEndTime);
  return state;
}

}  // namespace usbloop::launcher
