// How a guest begins as a copy of a template: the part of Guest that waits for it.
#include <nlohmann/json.hpp>

#include "common/kube/uuid.h"
#include "launcher-sim/console_lines.h"
#include "launcher-sim/device_state.h"
#include "launcher-sim/guest.h"
#include "launcher-sim/introduction.h"
#include "launcher-sim/qemu_log.h"
#include "launcher-sim/template_maker.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;

constexpr auto kCloneListenTime = 10s;
constexpr auto kCloneLoadTime = 10s;
constexpr auto kCloneGoOnTime = 5s;
constexpr auto kIntroductionTime = 15s;
constexpr auto kReadyTime = 10s;
constexpr auto kCloneKillTime = 2s;

/// An error, with what QEMU said last where it has ended over it.
tl::unexpected<Error> with_last_words(Error error, Process& qemu, const std::string& log) {
  if (const auto ended = qemu.wait(200ms)) error.cause += " (QEMU: " + last_line_of_log(log) + ")";
  return tl::unexpected(std::move(error));
}

}  // namespace

Result<std::unique_ptr<Guest>> Guest::clone(const GuestSpec& spec, const QemuHost& host, std::string directory,
                                            const GuestTemplate& from, const std::stop_token& stop) {
  GuestRecord record{.spec = spec, .clone = CloneState::being_made};
  auto guest = launch(record, clone_command(spec, host, from.memory_file), std::move(directory));
  if (!guest) return guest;
  auto alive = (*guest)->come_to_life(host, from, stop);
  if (alive) {
    record.clone = CloneState::done;
    alive = write_record((*guest)->directory_, record);
  }
  if (alive) return guest;
  (*guest)->kill_and_wait(kCloneKillTime);
  (*guest)->child_->kill();
  static_cast<void>((*guest)->remove_directory());
  return tl::unexpected(alive.error());
}

Result<> Guest::come_to_life(const QemuHost& host, const GuestTemplate& from, const std::stop_token& stop) {
  auto qmp = connect_when_listening(directory_, *child_, kCloneListenTime, stop);
  if (!qmp) return tl::unexpected(qmp.error());
  if (auto loaded = load_device_state(*qmp, from.state, kCloneLoadTime, stop); !loaded) {
    return with_last_words(loaded.error(), *child_, path(kQemuLog));
  }
  auto console = ConsoleLines::connect(directory_);
  if (!console) return tl::unexpected(console.error());
  if (auto goes_on = qmp->execute("cont", kCloneGoOnTime); !goes_on) return tl::unexpected(goes_on.error());
  const CloneIdentity identity{kernel_command_line(spec_, host), kube::random_uuid()};
  if (auto told = introduce(*console, identity, kIntroductionTime, stop); !told) return told;
  if (const auto ready = console->wait_for({"usbloop-guest: ready"}, kReadyTime, stop); !ready) {
    return tl::unexpected(ready.error());
  }
  qmp_.emplace(std::move(*qmp));
  view_.cloned = true;
  return {};
}

}  // namespace usbloop::launcher
