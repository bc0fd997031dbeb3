#pragma once

#include <filesystem>

namespace usbloop::bench {

/// From here on SIGINT, SIGTERM and SIGHUP end the bench cleanly: every process that belongs to a directory of clean_up
/// is killed, the directories are removed, and the exit code is 128 and the signal's number. Call before any thread is
/// made.
void end_cleanly_on_signals();

/// A directory of its own under the temporary one. The destructor kills what still belongs to it and removes it.
class BenchDir {
 public:
  BenchDir();
  ~BenchDir();
  BenchDir(const BenchDir&) = delete;
  BenchDir& operator=(const BenchDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// From its construction on the harness of the end-to-end tests makes its directories in one of the bench's own, so
/// that the bench cleans up whatever happens. One for the process.
class HarnessHome {
 public:
  HarnessHome();

 private:
  BenchDir own_;
};

}  // namespace usbloop::bench
