#pragma once

#include <sys/types.h>

#include <string>

#include "common/error.h"

namespace usbloop::apiserver {

/// The whole file, at most 1 MiB. ErrorKind::not_found when there is none.
Result<std::string> read_file(const std::string& path);

/// Writes beside `path` and renames: readers see the old file or the whole new one. The mode holds from the start.
Result<> write_file(const std::string& path, const std::string& content, mode_t mode);

/// Creates the directory and its parents with mode 0700; an existing one is left as it is.
Result<> make_directories(const std::string& path);

bool file_exists(const std::string& path);

}  // namespace usbloop::apiserver
