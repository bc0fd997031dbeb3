#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/process.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

inline constexpr int kUsbSlots = 4;  ///< of a VMI with clientPassthrough

// Names of the files in a guest's folder, which is QEMU's working directory: socket paths stay short that way.
inline constexpr const char* kQmpSocket = "qmp.sock";
inline constexpr const char* kSerialSocket = "virt-serial0";
inline constexpr const char* kVncSocket = "virt-vnc";
inline constexpr const char* kSerialLog = "serial.log";
inline constexpr const char* kQemuLog = "qemu.log";
inline constexpr const char* kPidFile = "qemu.pid";
inline constexpr const char* kRecordFile = "vmi.json";
std::string usb_socket_name(int slot);

/// What all guests of a node have in common.
struct QemuHost {
  std::string qemu = "qemu-system-x86_64";
  std::string accelerator = "tcg";  ///< "kvm" or "tcg"
  std::string kernel;
  std::string initramfs;
  std::string kernel_parameters = "console=ttyS0";
  std::string quick_firmware = {};  ///< qemu_files.h; empty: all guests start with QEMU's own choice
};

/// The guest's artefacts in `directory` (scripts/build-guest makes them): vmlinux, initramfs.cpio.gz, cmdline.
Result<QemuHost> guest_artefacts(const std::string& directory);

/// QEMU's argument vector for a guest: a pure function, so that --dry-run-vmi and the tests show exactly what runs.
std::vector<std::string> qemu_command(const GuestSpec& guest, const QemuHost& host);

/// The guest's kernel parameters: those of the node, then the names by which a machine knows itself (hostname=,
/// systemd.machine_id=).
std::string kernel_command_line(const GuestSpec& guest, const QemuHost& host);

/// QEMU's argument vector for a template (template_maker.h): its memory is the file, and its kernel is told to wait at
/// the point where all guests of this shape are the same. Names of VMIs do not go into it.
std::vector<std::string> template_command(const GuestSpec& guest, const QemuHost& host, const std::string& memory_file);

/// QEMU's argument vector for a guest that goes on as a copy of a template: the command of the same guest, booted, with
/// the template's memory under it, copied where the guest writes, and waiting for the state of the devices. A reset
/// starts the machine that these arguments describe.
std::vector<std::string> clone_command(const GuestSpec& guest, const QemuHost& host, const std::string& memory_file);

/// All of the environment that QEMU gets: messages in English, and of ours what finds programs, libraries and room for
/// temporary files. What else is there, secrets among it, is not for a process that a guest may break out into.
std::vector<std::pair<std::string, std::string>> qemu_environment();

/// How QEMU is started with that command line in a directory of its own, which its log is in too: with
/// qemu_environment() alone, and in a session of its own, so that no Ctrl-C at a launcher reaches it.
ProcessSpec qemu_process(std::vector<std::string> argv, const std::string& directory);

}  // namespace usbloop::launcher
