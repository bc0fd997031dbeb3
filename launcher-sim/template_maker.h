#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/process.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/qmp.h"
#include "launcher-sim/template_store.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

/// Boots a guest of the shape in the draft's directory, stops it where it says that it is a template, and takes the
/// state of its devices; its memory is in the draft then, and QEMU has ended. Takes as long as a guest boots; QEMU ends
/// with the thread that calls. Errors: what QEMU or the guest said, timeout, cancelled.
Result<std::string> make_template(const GuestSpec& shape, const QemuHost& host, const TemplateDraft& draft,
                                  const std::stop_token& stop);

/// Connects to the monitor of a QEMU that has just been started, when it listens. Also for clones.
Result<Qmp> connect_when_listening(const std::string& directory, Process& qemu, std::chrono::milliseconds timeout,
                                   const std::stop_token& stop);

}  // namespace usbloop::launcher
