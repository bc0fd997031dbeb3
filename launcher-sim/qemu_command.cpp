#include "launcher-sim/qemu_command.h"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

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

/// Where the machine's memory is, when it is not QEMU's own.
struct MemoryFile {
  std::string path;
  bool shared = false;  ///< what the guest writes goes into the file
};

Arguments machine(const GuestSpec& guest, const QemuHost& host, const std::string& parameters,
                  const std::optional<MemoryFile>& memory) {
  Arguments argv = {"-machine", "q35,accel=" + host.accelerator + (memory ? ",memory-backend=memory" : "")};
  if (memory) {
    append(argv, {"-object", "memory-backend-file,id=memory,size=" + std::to_string(guest.memory_mib) + "M,mem-path=" +
                                 escaped(memory->path) + (memory->shared ? ",share=on" : ",share=off")});
  }
  // Under TCG the default model is the fastest to emulate.
  if (host.accelerator == "kvm") append(argv, {"-cpu", "host"});
  append(argv, {"-m", "size=" + std::to_string(guest.memory_mib) + "M",  //
                "-smp", "cpus=" + std::to_string(guest.cores),           //
                "-kernel", host.kernel,                                  //
                "-initrd", host.initramfs,                               //
                "-append", parameters});
  if (!host.quick_firmware.empty() && !guest.own_start) append(argv, {"-bios", host.quick_firmware});
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

Arguments command(const GuestSpec& guest, const QemuHost& host, const std::string& parameters,
                  const std::optional<MemoryFile>& memory = std::nullopt) {
  Arguments argv = {host.qemu, "-name", "guest=" + escaped(guest.full_name()), "-uuid",
                    guest.system_uuid.empty() ? guest.uid : guest.system_uuid, "-nodefaults", "-no-user-config",
                    "-display", "none", "-sandbox",
                    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-msg", "timestamp=on",
                    // QEMU removes the file when it ends in order, and only then.
                    "-pidfile", kPidFile};
  append(argv, machine(guest, host, parameters, memory));
  if (!guest.system_serial.empty()) append(argv, {"-smbios", "type=1,serial=" + escaped(guest.system_serial)});
  append(argv, console_and_monitor());
  append(argv, display(guest));
  append(argv, usb(guest));
  return argv;
}

std::string machine_id(const GuestSpec& guest) {
  std::string id;
  for (const char digit : guest.uid) {
    if (digit != '-') id += static_cast<char>(std::tolower(static_cast<unsigned char>(digit)));
  }
  return id;
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

std::string kernel_command_line(const GuestSpec& guest, const QemuHost& host) {
  const std::string hostname = guest.hostname.empty() ? "" : " hostname=" + guest.hostname;
  return host.kernel_parameters + hostname + " systemd.machine_id=" + machine_id(guest);
}

std::vector<std::string> qemu_command(const GuestSpec& guest, const QemuHost& host) {
  return command(guest, host, kernel_command_line(guest, host));
}

std::vector<std::string> template_command(const GuestSpec& guest, const QemuHost& host,
                                          const std::string& memory_file) {
  return command(template_shape(guest), host, host.kernel_parameters + " usbloop.template",
                 MemoryFile{memory_file, true});
}

std::vector<std::string> clone_command(const GuestSpec& guest, const QemuHost& host, const std::string& memory_file) {
  Arguments argv = command(guest, host, kernel_command_line(guest, host), MemoryFile{memory_file, false});
  append(argv, {"-incoming", "defer"});
  return argv;
}

std::vector<std::pair<std::string, std::string>> qemu_environment() {
  std::vector<std::pair<std::string, std::string>> environment = {{"LC_ALL", "C"}};
  for (const char* name : {"PATH", "LD_LIBRARY_PATH", "TMPDIR"}) {
    if (const char* value = std::getenv(name)) environment.emplace_back(name, value);
  }
  return environment;
}

ProcessSpec qemu_process(std::vector<std::string> argv, const std::string& directory) {
  ProcessSpec process;
  process.argv = std::move(argv);
  process.environment = qemu_environment();
  process.clean_environment = true;
  process.working_directory = directory;
  process.standard_output = Output::to_file(directory + "/" + kQemuLog);
  process.standard_error = process.standard_output;
  process.new_session = true;
  return process;
}

}  // namespace usbloop::launcher
