#include "device-sim/fat/contents.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace usbloop::fat {

Result<int> Contents::open(std::uint32_t node) {
  const auto there = std::find_if(open_.begin(), open_.end(), [&](const Open& o) { return o.fd && o.node == node; });
  if (there != open_.end()) return there->fd.get();
  const std::string path = tree_.path_of(node);
  const std::string shown = tree_.path + "/" + path;
  Fd fd(::openat(tree_.root.get(), path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return make_errno_error("read", shown);
  if (status.st_dev != tree_.nodes[node].device || status.st_ino != tree_.nodes[node].inode) {
    return make_error(ErrorKind::conflict, "read", shown, "another file has taken its place");
  }
  const int number = fd.get();
  open_.at(oldest_) = {node, std::move(fd)};
  oldest_ = (oldest_ + 1) % open_.size();
  return number;
}

Result<> Contents::read(std::uint32_t node, std::uint64_t offset, std::span<std::byte> into) {
  const auto fd = open(node);
  if (!fd) return tl::unexpected(fd.error());
  while (!into.empty()) {
    const ssize_t got = ::pread(*fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    const auto shown = [&] { return tree_.path + "/" + tree_.path_of(node); };
    if (got < 0) return make_errno_error("read", shown());
    if (got == 0) return make_error(ErrorKind::conflict, "read", shown(), "it has become shorter");
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace usbloop::fat
