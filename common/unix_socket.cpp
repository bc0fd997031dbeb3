#include "common/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

namespace usbloop {
namespace {

constexpr auto kConnectTo = "connect to";

/// A name for `path` that an address holds. `directory` has to live as long as the name is used.
Result<std::string> short_name(const std::string& path, Fd& directory) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return path;
  const std::filesystem::path full(path);
  const std::string parent = full.has_parent_path() ? full.parent_path().string() : ".";
  directory.reset(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return make_errno_error(kConnectTo, path);
  std::string name = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + full.filename().string();
  if (name.size() < sizeof(sockaddr_un::sun_path)) return name;
  return make_error(ErrorKind::invalid, kConnectTo, path, "the socket's name is too long");
}

}  // namespace

Result<Fd> connect_unix_socket(const std::string& path, int flags) {
  Fd directory;
  const auto name = short_name(path, directory);
  if (!name) return tl::unexpected(name.error());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name->copy(address.sun_path, name->size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!socket) return make_errno_error("make", "a unix socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  if (errno == EAGAIN) return make_error(ErrorKind::conflict, kConnectTo, path, "its backlog is full");
  return make_errno_error(kConnectTo, path);
}

}  // namespace usbloop
