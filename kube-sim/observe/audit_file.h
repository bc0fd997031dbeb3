#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::apiserver {

/// An append-only file that is put aside when it has grown large: it gets a name with the time in it, and the oldest of
/// those are removed. It writes whole lines or nothing: a write that the disk takes only in part is taken back. Not
/// thread-safe.
class AuditFile {
 public:
  struct Limits {
    std::uint64_t bytes = 100 * 1024 * 1024;  ///< of one file; 0: never put aside
    std::size_t backups = 10;                 ///< files put aside that are kept; 0: all
  };

  /// `path` "-" is standard output. Made with mode 0600 when absent.
  static Result<AuditFile> open(const std::string& path, Limits limits);

  /// Appends whole lines. After an error the file is as it was before, and the next call tries anew.
  Result<> append(std::string_view lines);

 private:
  AuditFile(std::string path, Limits limits) : path_(std::move(path)), limits_(limits) {}
  Result<> reopen();
  Result<> rotate();
  void remove_old_backups() const;

  std::string path_;
  Limits limits_;
  Fd fd_;
  std::uint64_t size_ = 0;
  bool is_file_ = true;  ///< false for pipes and terminals, which neither grow nor shrink
};

}  // namespace usbloop::apiserver
