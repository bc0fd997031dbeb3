#include "launcher-sim/qemu_command.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace usbloop::launcher {
namespace {

using Arguments = std::vector<std::string>;

/// QEMU's option parser takes a comma for the next option unless it is doubled.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char character : value) text += character == ',' ? ",," : std::string(1, character);
  return text;
}

void append(Arguments& argv, const Arguments& more) { argv.insert(argv.end(), more.begin(), more.end()); }

std::string listening(const std::string& id, const std::string& path) {
  return "socket,id=" + id + ",path=" + path + ",server=on,wait=off";
}

Arguments machine(const GuestSpec& guest, const QemuHost& host) {
  Arguments argv = {"-machine", "q35,accel=" + host.accelerator};
  // Under TCG the default model is the fastest to emulate.
  if (host.accelerator == "kvm") append(argv, {"-cpu", "host"});
  append(argv, {"-m", "size=" + std::to_string(guest.memory_mib) + "M",  //
                "-smp", "cpus=" + std::to_string(guest.cores),           //
                "-kernel", host.kernel,                                  //
                "-initrd", host.initramfs,                               //
                "-append", host.kernel_parameters});
  return argv;
}

Arguments console_and_monitor() {
  return {"-chardev", listening("serial0", kSerialSocket) + ",logfile=" + kSerialLog + ",logappend=on",
          "-serial",  "chardev:serial0",
          "-chardev", listening("qmp", kQmpSocket),
          "-mon",     "chardev=qmp,mode=control"};
}

/// What VNC shows. The guest needs no driver for it; no option ROM, whose start costs time under TCG.
Arguments display(const GuestSpec& guest) {
  if (!guest.graphics) return {};
  return {"-vnc", std::string("unix:") + kVncSocket, "-device", "VGA,id=video0,vgamem_mb=16,romfile="};
}

/// The controller with explicit ports: without them QEMU puts the fourth device behind a full-speed hub (usb.md
/// section 6).
Arguments usb(const GuestSpec& guest) {
  Arguments argv = {"-device", "qemu-xhci,id=usb,p2=15,p3=15"};
  for (int slot = 0; guest.client_passthrough && slot < kUsbSlots; ++slot) {
    const std::string number = std::to_string(slot);
    append(argv, {"-chardev", listening("charredir" + number, usb_socket_name(slot)),  //
                  "-device",
                  "usb-redir,chardev=charredir" + number + ",id=redir" + number +
                      ",bus=usb.0,port=" + std::to_string(slot + 1)});
  }
  return argv;
}

}  // namespace

std::string usb_socket_name(int slot) { return "virt-usbredir-" + std::to_string(slot); }

Result<QemuHost> guest_artefacts(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code code;
  // QEMU runs in another working directory.
  const fs::path absolute = fs::absolute(directory, code);
  QemuHost host;
  host.kernel = absolute / "vmlinux";
  host.initramfs = absolute / "initramfs.cpio.gz";
  for (const auto& file : {host.kernel, host.initramfs}) {
    if (fs::is_regular_file(file, code)) continue;
    return make_error(ErrorKind::not_found, "find the guest's", file, "no such file",
                      "scripts/build-guest makes it and prints its directory.");
  }
  if (std::ifstream parameters(absolute / "cmdline"); parameters) {
    std::string line;
    std::getline(parameters, line);
    if (!line.empty() && line.size() < 2048) host.kernel_parameters = line;
  }
  return host;
}

std::vector<std::string> qemu_command(const GuestSpec& guest, const QemuHost& host) {
  Arguments argv = {host.qemu, "-name", "guest=" + escaped(guest.full_name()), "-uuid", guest.uid, "-nodefaults",
                    "-no-user-config", "-display", "none", "-sandbox",
                    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-msg", "timestamp=on",
                    // QEMU removes the file when it ends in order, and only then.
                    "-pidfile", kPidFile};
  append(argv, machine(guest, host));
  append(argv, console_and_monitor());
  append(argv, display(guest));
  append(argv, usb(guest));
  return argv;
}

std::vector<std::pair<std::string, std::string>> qemu_environment() {
  std::vector<std::pair<std::string, std::string>> environment = {{"LC_ALL", "C"}};
  for (const char* name : {"PATH", "LD_LIBRARY_PATH", "TMPDIR"}) {
    if (const char* value = std::getenv(name)) environment.emplace_back(name, value);
  }
  return environment;
}

}  // namespace usbloop::launcher
