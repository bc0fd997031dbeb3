#pragma once

#include <cstddef>
#include <string>

#include "common/error.h"

namespace usbloop {

/// Reads a small file whole, with read(2): at most `limit` bytes. Also for files of /proc and /sys whose object may go
/// between opening and reading, where a stream's iterator would throw. Throws for lack of memory only. Errors:
/// not_found (also when the process or the device went meanwhile), denied, invalid (larger than `limit`) or what else
/// read(2) says. Thread-safe.
Result<std::string> read_small_file(const std::string& path, std::size_t limit = 1024 * 1024);

/// The same, from the position of the descriptor, which stays open; `name` is for errors.
Result<std::string> read_small_file(int fd, const std::string& name, std::size_t limit = 1024 * 1024);

}  // namespace usbloop
