#include "launcher-sim/template_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/digest.h"
#include "common/json_at.h"
#include "common/json_text.h"
#include "common/small_file.h"
#include "common/stop_wait.h"

namespace usbloop::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace std::chrono_literals;

constexpr const char* kMemoryFile = "memory";
constexpr const char* kStateFile = "state";
constexpr const char* kSumsFile = "sums.json";
constexpr const char* kDraftSuffix = ".new";
constexpr std::size_t kMaxState = 64 * 1024 * 1024;

tl::unexpected<Error> altered(const std::string& path, const std::string& cause) {
  return make_error(ErrorKind::invalid, "use the template's file", path, cause);
}

Result<> write_new_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return make_error(ErrorKind::internal, "write", path, "write error");
  std::error_code code;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, code);
  return {};
}

Result<std::string> read_template_file(const std::string& path, std::size_t limit) {
  const auto file = open_template_file(path);
  if (!file) return tl::unexpected(file.error());
  return read_small_file(file->get(), path, limit);
}

/// Ours, and nobody else's to write to.
Result<> check_directory(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return make_errno_error("look at", path);
  if (!S_ISDIR(about.st_mode)) return altered(path, "it is no directory");
  if (about.st_uid != ::geteuid()) return altered(path, "it is another user's");
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) return altered(path, "others may write to it");
  return {};
}

}  // namespace

TemplateDraft::TemplateDraft(TemplateDraft&& other) noexcept
    : lock_(std::move(other.lock_)),
      directory_(std::exchange(other.directory_, std::string())),
      key_(std::move(other.key_)) {}

TemplateDraft::~TemplateDraft() {
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

std::string TemplateDraft::memory_file() const { return directory_ + "/" + kMemoryFile; }

Result<TemplateStore> TemplateStore::open(const std::string& directory) {
  std::error_code code;
  const bool made = fs::create_directories(directory, code);
  if (code) return make_error(ErrorKind::internal, "make", directory, code.message());
  if (made) fs::permissions(directory, fs::perms::owner_all, code);
  const fs::path absolute = fs::canonical(directory, code);
  if (code) return make_error(ErrorKind::internal, "open", directory, code.message());
  if (auto checked = check_directory(absolute); !checked) return tl::unexpected(checked.error());
  if (::access(absolute.c_str(), W_OK) != 0) return make_errno_error("write to", absolute);
  return TemplateStore(absolute);
}

bool TemplateStore::has(const std::string& key) const { return ::access(path_of(key).c_str(), F_OK) == 0; }

Result<GuestTemplate> TemplateStore::find(const std::string& key) {
  const std::string folder = path_of(key);
  if (auto checked = check_directory(folder); !checked) return tl::unexpected(checked.error());
  const auto text = read_template_file(folder + "/" + kSumsFile, 64 * 1024);
  if (!text) return tl::unexpected(text.error());
  const json sums = parse_json_object(*text).value_or(json::object());
  if (text_at(sums, "/key") != key) return altered(folder + "/" + kSumsFile, "it is another template's");
  auto state = read_template_file(folder + "/" + kStateFile, kMaxState);
  if (!state) return tl::unexpected(state.error());
  if (hexadecimal(sha256(*state)) != text_at(sums, "/state"))
    return altered(folder + "/" + kStateFile, "its sum is wrong");
  const json& size = at(sums, "/memorySize");
  const std::string memory = folder + "/" + kMemoryFile;
  if (!size.is_number_unsigned()) return altered(folder + "/" + kSumsFile, "it has no size");
  if (auto checked = check_memory(memory, size.get<std::uint64_t>(), text_at(sums, "/memory")); !checked) {
    return tl::unexpected(checked.error());
  }
  // The time tells which template was used least lately; one that cannot be set does no harm.
  static_cast<void>(::utimensat(AT_FDCWD, folder.c_str(), nullptr, 0));
  return GuestTemplate{memory, std::move(*state)};
}

Result<> TemplateStore::check_memory(const std::string& path, std::uint64_t size, const std::string& sum) {
  const auto file = open_template_file(path);
  if (!file) return tl::unexpected(file.error());
  const auto mark = mark_of(*file, path);
  if (!mark) return tl::unexpected(mark.error());
  if (static_cast<std::uint64_t>(mark->size) != size) return altered(path, "its size is wrong");
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = checked_.find(path); known != checked_.end() && known->second == *mark) return {};
  }
  const auto actual = sum_of_sparse_file(*file, path);
  if (!actual) return tl::unexpected(actual.error());
  if (*actual != sum) return altered(path, "its sum is wrong");
  const std::lock_guard lock(mutex_);
  checked_[path] = *mark;
  return {};
}

/// The lock is on the directory itself, so that it goes with it (scripts/down --purge) and leaves no file behind.
Result<Fd> TemplateStore::lock(const std::stop_token& stop) const {
  do {
    Fd lock(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) return make_errno_error("open", directory_);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      struct stat locked {};
      struct stat named {};
      // The directory may have been removed and made anew while we waited.
      if (::fstat(lock.get(), &locked) == 0 && ::stat(directory_.c_str(), &named) == 0 &&
          locked.st_ino == named.st_ino) {
        return lock;
      }
    } else if (errno != EWOULDBLOCK) {
      return make_errno_error("lock", directory_);
    }
  } while (wait_unless_stopped(stop, 50ms));
  return make_error(ErrorKind::cancelled, "lock", directory_, "we are to stop");
}

Result<TemplateDraft> TemplateStore::begin(const std::string& key, const std::stop_token& stop) {
  auto locked = lock(stop);
  if (!locked) return tl::unexpected(locked.error());
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory_, code)) {
    // Who has the lock is the only maker: every draft is a dead one's.
    if (entry.path().extension() == kDraftSuffix) fs::remove_all(entry.path(), code);
  }
  TemplateDraft draft(std::move(*locked), path_of(key) + kDraftSuffix, key);
  if (::mkdir(draft.directory().c_str(), 0700) != 0) return make_errno_error("make", draft.directory());
  return draft;
}

Result<> TemplateStore::keep(TemplateDraft draft, const std::string& state) {
  const std::string memory = draft.memory_file();
  const auto file = open_template_file(memory);
  if (!file) return tl::unexpected(file.error());
  auto sum = sum_of_sparse_file(*file, memory);
  if (!sum) return tl::unexpected(sum.error());
  const auto mark = mark_of(*file, memory);
  if (!mark) return tl::unexpected(mark.error());
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(draft.directory(), code)) {
    if (entry.path() != memory) fs::remove_all(entry.path(), code);
  }
  const json sums = {
      {"key", draft.key_}, {"memory", *sum}, {"memorySize", mark->size}, {"state", hexadecimal(sha256(state))}};
  if (auto written = write_new_file(draft.directory() + "/" + kStateFile, state); !written) return written;
  if (auto written = write_new_file(draft.directory() + "/" + kSumsFile, sums.dump(2) + "\n"); !written) return written;
  const std::string name = path_of(draft.key_);
  fs::rename(draft.directory(), name, code);
  if (code) return make_error(ErrorKind::internal, "make", name, code.message());
  draft.directory_.clear();
  {
    const std::lock_guard lock(mutex_);
    checked_[name + "/" + kMemoryFile] = *mark;
  }
  remove_the_oldest();
  return {};
}

void TemplateStore::remove(const std::string& key) {
  std::error_code ignored;
  fs::remove_all(path_of(key), ignored);
}

void TemplateStore::remove_the_oldest() const {
  std::vector<std::pair<fs::file_time_type, fs::path>> all;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory_, code)) {
    const auto time = entry.last_write_time(code);
    if (entry.path().extension() != kDraftSuffix) all.emplace_back(time, entry.path());
  }
  std::sort(all.rbegin(), all.rend());
  // Clones that map the memory of a removed template keep it until they end.
  for (std::size_t i = kMost; i < all.size(); ++i) fs::remove_all(all[i].second, code);
}

}  // namespace usbloop::launcher
