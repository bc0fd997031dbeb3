#include "launcher-sim/template_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "common/digest.h"

namespace usbloop::launcher {
namespace {

constexpr off_t kSumBlock = 65536;

tl::unexpected<Error> unfit_file(const std::string& path, const std::string& cause) {
  return make_error(ErrorKind::invalid, "use the template's file", path, cause);
}

std::int64_t in_nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

bool is_all_zero(std::string_view bytes) {
  // Each byte is the one before it, and the first is zero.
  return bytes.empty() || (bytes.front() == '\0' && bytes.substr(1) == bytes.substr(0, bytes.size() - 1));
}

/// The bytes at `offset`, fewer at the end of the file.
Result<std::string_view> read_block(const Fd& file, const std::string& path, off_t offset, std::vector<char>& buffer) {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const auto got = ::pread(file.get(), buffer.data() + have, buffer.size() - have, offset + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_errno_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return std::string_view(buffer.data(), have);
}

}  // namespace

Result<Fd> open_template_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return make_errno_error("open", path);
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return make_errno_error("look at", path);
  if (!S_ISREG(about.st_mode)) return unfit_file(path, "it is no file");
  if (about.st_uid != ::geteuid()) return unfit_file(path, "it is another user's");
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) return unfit_file(path, "others may write to it");
  if ((about.st_mode & S_IWUSR) == 0) return unfit_file(path, "it is not writable, as QEMU wants it");
  return file;
}

Result<std::string> sum_of_sparse_file(const Fd& file, const std::string& path) {
  Sha256 sum;
  std::vector<char> buffer(kSumBlock);
  off_t offset = 0;
  while (true) {
    const off_t data = ::lseek(file.get(), offset, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // the rest is a hole
    if (data < 0) return make_errno_error("read", path);
    offset = std::max(offset, data / kSumBlock * kSumBlock);
    const auto block = read_block(file, path, offset, buffer);
    if (!block) return tl::unexpected(block.error());
    if (block->empty()) break;
    if (!is_all_zero(*block)) {
      sum.add(std::to_string(offset) + ":");
      sum.add(*block);
    }
    offset += kSumBlock;
  }
  return sum.hex();
}

Result<FileMark> mark_of(const Fd& file, const std::string& path) {
  struct stat about {};
  if (::fstat(file.get(), &about) != 0) return make_errno_error("look at", path);
  return FileMark{about.st_dev, about.st_ino, about.st_size, in_nanoseconds(about.st_mtim),
                  in_nanoseconds(about.st_ctim)};
}

}  // namespace usbloop::launcher
