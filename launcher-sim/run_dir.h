#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "common/fd.h"

namespace usbloop::launcher {

/// The folder in which a node keeps its guests, one folder each, named by the VMI's UID; locked against a second
/// launcher as long as this object lives (or its process, however that ends).
class RunDir {
 public:
  /// Makes the folder where it is missing. ErrorKind::conflict when another launcher has it.
  static Result<RunDir> open(const std::string& path);

  /// Absolute.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string guest_directory(const std::string& uid) const { return path_ + "/" + uid; }
  /// The guests' folders that are there, as UIDs.
  [[nodiscard]] std::vector<std::string> guests() const;

 private:
  RunDir(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  Fd lock_;
};

}  // namespace usbloop::launcher
