#include "kube-sim/observe/audit_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <vector>

namespace usbloop::apiserver {
namespace {

namespace fs = std::filesystem;

/// "/var/log/audit" and ".log" of "/var/log/audit.log".
std::pair<std::string, std::string> stem_and_extension(const std::string& path) {
  const fs::path file(path);
  return {(file.parent_path() / file.stem()).string(), file.extension().string()};
}

/// "2026-03-01T12-30-59.123": sorts as the time does.
std::string stamp(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H-%M-%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03d", static_cast<int>(millis));
  return text;
}

}  // namespace

Result<AuditFile> AuditFile::open(const std::string& path, Limits limits) {
  AuditFile file(path, limits);
  if (auto opened = file.reopen(); !opened) return tl::unexpected(opened.error());
  return file;
}

Result<> AuditFile::reopen() {
  fd_.reset(path_ == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                         : ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  struct stat info {};
  if (!fd_ || ::fstat(fd_.get(), &info) != 0) return make_errno_error("open the audit log", path_);
  is_file_ = path_ != "-" && S_ISREG(info.st_mode);
  size_ = is_file_ ? static_cast<std::uint64_t>(info.st_size) : 0;
  return {};
}

Result<> AuditFile::append(std::string_view lines) {
  if (!fd_) {
    if (auto opened = reopen(); !opened) return opened;
  }
  if (is_file_ && limits_.bytes > 0 && size_ > 0 && size_ + lines.size() > limits_.bytes) {
    if (auto rotated = rotate(); !rotated) return rotated;
  }
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_.get(), rest.data(), rest.size());
    if (count > 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      auto failed = make_errno_error("write the audit log", path_);
      // Half a line would make the whole file unreadable for tools.
      if (is_file_ && ::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) fd_.reset();
      return failed;
    }
  }
  if (is_file_) size_ += lines.size();
  return {};
}

Result<> AuditFile::rotate() {
  const auto [stem, extension] = stem_and_extension(path_);
  auto now = std::chrono::system_clock::now();
  std::string aside = stem + "-" + stamp(now) + extension;
  while (::access(aside.c_str(), F_OK) == 0) {
    now += std::chrono::milliseconds(1);
    aside = stem + "-" + stamp(now) + extension;
  }
  if (::rename(path_.c_str(), aside.c_str()) != 0 && errno != ENOENT) {
    return make_errno_error("put the audit log aside as", aside);
  }
  remove_old_backups();
  return reopen();
}

void AuditFile::remove_old_backups() const {
  if (limits_.backups == 0) return;
  const auto [stem, extension] = stem_and_extension(path_);
  const std::string prefix = fs::path(stem).filename().string() + "-";
  const std::size_t length = prefix.size() + stamp({}).size() + extension.size();
  fs::path directory = fs::path(path_).parent_path();
  if (directory.empty()) directory = ".";
  std::vector<fs::path> backups;
  std::error_code code;
  for (fs::directory_iterator entry(directory, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == length && name.starts_with(prefix) && name.ends_with(extension)) {
      backups.push_back(entry->path());
    }
  }
  std::sort(backups.begin(), backups.end());
  for (std::size_t i = 0; i + limits_.backups < backups.size(); ++i) fs::remove(backups[i], code);
}

}  // namespace usbloop::apiserver
