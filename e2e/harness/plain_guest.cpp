#include "e2e/harness/plain_guest.h"

#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::e2e {

PlainGuest::PlainGuest(const CaseDir& dir, const PlainGuestOptions& options) : dir_(dir.subdir(options.name)) {
  std::string parameters = read_file(guest_dir() / "cmdline");
  while (parameters.ends_with('\n')) parameters.pop_back();
  std::vector<std::string> argv = {"qemu-system-x86_64",
                                   "-machine",
                                   "q35",
                                   "-accel",
                                   "tcg",
                                   "-m",
                                   options.memory,
                                   "-nodefaults",
                                   "-no-user-config",
                                   "-no-reboot",
                                   "-display",
                                   "none",
                                   "-kernel",
                                   guest_dir() / "vmlinux",
                                   "-initrd",
                                   guest_dir() / "initramfs.cpio.gz",
                                   "-append",
                                   parameters + " " + options.kernel_parameters,
                                   "-chardev",
                                   "socket,id=serial,path=virt-serial0,server=on,wait=off,logfile=serial.log",
                                   "-serial",
                                   "chardev:serial",
                                   "-device",
                                   "qemu-xhci,id=xhci,p2=15,p3=15"};
  argv.insert(argv.end(), options.arguments.begin(), options.arguments.end());
  qemu_ = std::make_unique<Process>(ProcessSpec{.name = "qemu", .argv = std::move(argv), .log_dir = dir_});
}

GuestConsole& PlainGuest::boot() {
  // The socket's file is there a moment before QEMU listens on it.
  wait_until("QEMU's console socket", 20s, [&] {
    if (!qemu_->running()) throw Failure("QEMU ended: " + qemu_->output());
    try {
      console_ = std::make_unique<GuestConsole>(dir_ / "virt-serial0", dir_ / "serial.log");
      return true;
    } catch (const Failure&) {
      return false;
    }
  });
  console_->wait_ready(180s);
  return *console_;
}

}  // namespace usbloop::e2e
