#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "device-sim/storage/block_store.h"

namespace usbloop::device_sim {
namespace {

constexpr auto kOpenOperation = "use the image";

Result<std::uint64_t> size_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return make_errno_error(kOpenOperation, path);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return make_error(ErrorKind::invalid, kOpenOperation, path, "it is neither a file nor a block device");
  }
  const off_t size = ::lseek(fd, 0, SEEK_END);  // st_size is 0 for a block device
  if (size < 0) return make_errno_error(kOpenOperation, path);
  if (size == 0) {
    return make_error(ErrorKind::invalid, kOpenOperation, path, "it is empty",
                      "Make one with: truncate -s 64M " + path);
  }
  if (size % kBlockSize != 0) {
    return make_error(ErrorKind::invalid, kOpenOperation, path,
                      "its size of " + std::to_string(size) + " bytes is not a multiple of 512",
                      "Round it up with: truncate -s %512 " + path);
  }
  return static_cast<std::uint64_t>(size);
}

}  // namespace

Result<std::unique_ptr<ImageFile>> ImageFile::open(const std::string& path, bool read_only) {
  // Non-blocking, so that a named pipe is refused below and not waited for.
  const int flags = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;
  Fd fd(::open(path.c_str(), flags));
  if (!fd) {
    auto error = make_errno_error(kOpenOperation, path);
    if (error.value().kind == ErrorKind::not_found) error.value().hint = "Make one with: truncate -s 64M " + path;
    if (error.value().kind == ErrorKind::denied && !read_only) {
      error.value().hint = "To use it without writing, add ,ro to the device's description.";
    }
    return error;
  }
  const auto size = size_of(fd.get(), path);
  if (!size) return tl::unexpected(size.error());
  if (::flock(fd.get(), (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return make_errno_error("lock", path);
    return make_error(ErrorKind::conflict, kOpenOperation, path, "another emulated device uses it",
                      "Two disks that write one image destroy it; give each its own, or add ,ro to both.");
  }
  return std::unique_ptr<ImageFile>(new ImageFile(std::move(fd), path, *size, read_only));
}

Result<std::unique_ptr<ImageFile>> ImageFile::temporary(const std::string& directory, std::uint64_t size) {
  constexpr auto kOperation = "make a temporary file in";
  Fd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!fd && (errno == EOPNOTSUPP || errno == EISDIR)) {  // a file system or a kernel without O_TMPFILE
    std::string name = directory + "/usbloop-XXXXXX";
    fd.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (fd) ::unlink(name.c_str());
  }
  if (!fd) return make_errno_error(kOperation, directory);
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return make_errno_error(kOperation, directory);
  return std::unique_ptr<ImageFile>(new ImageFile(std::move(fd), "the temporary file in " + directory, size, false));
}

Result<> ImageFile::read(std::uint64_t offset, std::span<std::byte> into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_errno_error("read", path_);
    if (got == 0) return make_error(ErrorKind::internal, "read", path_, "the file has been cut");
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<> ImageFile::write(std::uint64_t offset, std::span<const std::byte> from) {
  dirty_ = true;
  while (!from.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), from.data(), from.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return make_errno_error("write", path_);
    from = from.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<> ImageFile::flush() {
  if (!dirty_) return {};
  if (::fdatasync(fd_.get()) != 0) return make_errno_error("flush", path_);
  dirty_ = false;
  return {};
}

}  // namespace usbloop::device_sim
