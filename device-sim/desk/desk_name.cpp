#include "device-sim/desk/desk_name.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace usbloop::desk {

namespace {

/// FNV-1a: a short name for a long path. Whoever could make two paths meet could as well name the socket.
std::string digest(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 17> name{};
  std::snprintf(name.data(), name.size(), "%016llx", static_cast<unsigned long long>(hash));
  return name.data();
}

std::string directory_name() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/usbloop";
  return "/tmp/usbloop-" + std::to_string(::geteuid());
}

/// A directory that this user alone may change.
Result<std::string> own_directory() {
  std::string path = directory_name();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return make_errno_error("make", path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return make_errno_error("look at", path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) {
    return make_error(ErrorKind::denied, "use", path, "others may change what is there",
                      "Set XDG_RUNTIME_DIR to a directory of your own, or name the socket.");
  }
  return path;
}

}  // namespace

Result<std::string> socket_of_desk_file(const std::string& file) {
  std::error_code code;
  const auto whole = std::filesystem::canonical(file, code);
  if (code) return make_errno_error("find the desk", file, code.value());
  const auto directory = own_directory();
  if (!directory) return directory;
  return *directory + "/desk-" + digest(whole.string()) + ".sock";
}

Result<std::string> socket_of_desk(const std::string& desk) {
  constexpr std::string_view kUnix = "unix:";
  if (desk.starts_with(kUnix)) return desk.substr(kUnix.size());
  struct stat status {};
  if (::stat(desk.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) return desk;
  return socket_of_desk_file(desk);
}

}  // namespace usbloop::desk
