#include "launcher-sim/qemu_files.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace usbloop::launcher {

namespace fs = std::filesystem;

std::string path_of_program(const std::string& program) {
  if (program.find('/') != std::string::npos) return program;
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string candidate = (directory.empty() ? "." : directory) + "/" + program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return program;
}

std::string quick_firmware(const std::string& program) {
  std::error_code code;
  // The real path: /bin is a link to /usr/bin, and there is no /share.
  const fs::path real = fs::canonical(path_of_program(program), code);
  if (code) return {};
  fs::path file = real.parent_path().parent_path() / "share/qemu/qboot.rom";
  return ::access(file.c_str(), R_OK) == 0 && fs::is_regular_file(file, code) ? file.string() : std::string();
}

}  // namespace usbloop::launcher
