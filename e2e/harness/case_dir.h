#pragma once

#include <filesystem>
#include <string>

namespace usbloop::e2e {

/// The directory of one test case. The destructor looks whether a process of the case is left (that fails the case),
/// kills what is left, and removes the directory when the case passed. When the case failed, the directory stays, and
/// its path and the tails of all logs in it are printed. Make it the first member of each fixture, so that it is
/// destroyed last.
class CaseDir {
 public:
  CaseDir();
  ~CaseDir();
  CaseDir(const CaseDir&) = delete;
  CaseDir& operator=(const CaseDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// path()/name, made when it does not exist.
  [[nodiscard]] std::filesystem::path subdir(const std::string& name) const;

 private:
  void expect_nothing_left();
  void print_logs() const;

  std::filesystem::path path_;
  int exceptions_at_start_ = 0;
};

/// Whether an assertion of the running case has failed so far (a listener of doctest counts them).
bool case_has_failed();

/// Kills processes by pid with SIGKILL and waits until they are gone; orphans of ours are reaped.
void kill_and_reap(const std::filesystem::path& dir);

}  // namespace usbloop::e2e
