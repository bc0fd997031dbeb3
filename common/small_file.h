#pragma once

#include <cstddef>
#include <string>

#include "common/error.h"

namespace usbloop {

/// Reads a small file whole, with read(2). For files of /proc and /sys too, whose object may go between the opening and
/// the reading: a stream's iterator throws there. At most `limit` bytes. Never throws but for memory. Errors: not_found
/// (also when the process or the device went meanwhile), denied, invalid (larger than `limit`) or what else read(2)
/// says. Thread-safe.
Result<std::string> read_small_file(const std::string& path, std::size_t limit = 1024 * 1024);

/// The same from where the descriptor stands, which stays open; `name` is for errors.
Result<std::string> read_small_file(int fd, const std::string& name, std::size_t limit = 1024 * 1024);

}  // namespace usbloop
