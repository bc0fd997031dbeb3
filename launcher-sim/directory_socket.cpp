#include "launcher-sim/directory_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace usbloop::launcher {
namespace {

/// The directory, and the socket's address through the directory's descriptor.
struct Address {
  Fd directory;
  sockaddr_un value{};
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&value); }
};

Result<Address> address_of(const std::string& directory, const std::string& name) {
  Address address;
  address.directory.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!address.directory) return make_errno_error("open", directory);
  const std::string path = "/proc/self/fd/" + std::to_string(address.directory.get()) + "/" + name;
  if (path.size() >= sizeof address.value.sun_path) {
    return make_error(ErrorKind::invalid, "use the socket", name, "its name is too long");
  }
  address.value.sun_family = AF_UNIX;
  path.copy(address.value.sun_path, path.size());
  return address;
}

}  // namespace

Result<Fd> connect_in_directory(const std::string& directory, const std::string& name) {
  const auto address = address_of(directory, name);
  if (!address) return tl::unexpected(address.error());
  // Non-blocking from the start: connect() waits where the listener's queue is full.
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return make_errno_error("make", "a socket");
  if (::connect(socket.get(), address->get(), sizeof address->value) != 0) {
    return make_errno_error("connect to", directory + "/" + name);
  }
  return socket;
}

}  // namespace usbloop::launcher
