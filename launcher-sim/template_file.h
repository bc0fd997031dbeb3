#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "common/error.h"
#include "common/fd.h"

// The files of a template (template_store.h), which QEMU takes a machine's memory and state from.
namespace usbloop::launcher {

/// Opens a file of ours to read: no link, not writable by others, and writable by us, without which QEMU cannot open
/// it. ErrorKind::invalid says what is wrong with it.
Result<Fd> open_template_file(const std::string& path);

/// SHA-256 over the parts of a file that are not zero, each with its place: the same with and without holes, and as
/// fast as what a guest has written. `file` is seekable; its position does not matter.
Result<std::string> sum_of_sparse_file(const Fd& file, const std::string& path);

/// What changes when anybody writes to the file.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;
  std::int64_t modified = 0;  ///< ns
  std::int64_t changed = 0;   ///< ns
  bool operator==(const FileMark&) const = default;
};
Result<FileMark> mark_of(const Fd& file, const std::string& path);

}  // namespace usbloop::launcher
