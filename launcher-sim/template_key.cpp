#include "launcher-sim/template_key.h"

#include <sys/stat.h>

#include <filesystem>

#include "common/digest.h"
#include "common/small_file.h"
#include "launcher-sim/qemu_files.h"

namespace usbloop::launcher {
namespace {

namespace fs = std::filesystem;

/// Raised when the guest's part or the format of a template changes in a way that the command line does not show.
constexpr const char* kTemplateFormat = "usbloop template 1";
constexpr std::size_t kKeyDigits = 32;

/// The file by its real path, and its content by size and time of change: reading a kernel for each guest costs more
/// than the rest of the start.
Result<std::string> file_identity(const std::string& path) {
  std::error_code code;
  const fs::path real = fs::canonical(path, code);
  struct stat about {};
  if (code || ::stat(real.c_str(), &about) != 0) {
    return make_error(ErrorKind::not_found, "look at", path, code ? code.message() : "it is gone");
  }
  return real.string() + " " + std::to_string(about.st_size) + " " + std::to_string(about.st_mtim.tv_sec) + "." +
         std::to_string(about.st_mtim.tv_nsec);
}

}  // namespace

Result<std::string> template_key(const GuestSpec& guest, const QemuHost& host) {
  std::string text = kTemplateFormat;
  for (const auto& file : {path_of_program(host.qemu), host.kernel, host.initramfs}) {
    const auto identity = file_identity(file);
    if (!identity) return tl::unexpected(identity.error());
    text += "\n" + *identity;
  }
  const auto boot = read_small_file("/proc/sys/kernel/random/boot_id");
  if (!boot) return tl::unexpected(boot.error());
  text += "\n" + *boot;
  // By their real paths above: the same guest has many names.
  QemuHost nameless = host;
  nameless.qemu = nameless.kernel = nameless.initramfs = "";
  for (const auto& argument : template_command(guest, nameless, "memory")) text += "\n" + argument;
  return hexadecimal(sha256(text)).substr(0, kKeyDigits);
}

}  // namespace usbloop::launcher
