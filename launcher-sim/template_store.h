#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/fd.h"
#include "launcher-sim/template_file.h"

namespace usbloop::launcher {

/// A guest that was booted once and kept where all guests of its shape are the same.
struct GuestTemplate {
  std::string memory_file;  ///< never written to again; clones map it and copy what they change
  std::string state;        ///< of the devices, as QEMU's migration writes it
};

/// A place to make a template in, for one maker at a time on this machine. The destructor removes it, unless it was
/// kept; what a killed maker leaves, the next one removes.
class TemplateDraft {
 public:
  TemplateDraft(TemplateDraft&& other) noexcept;
  TemplateDraft& operator=(TemplateDraft&&) = delete;
  TemplateDraft(const TemplateDraft&) = delete;
  TemplateDraft& operator=(const TemplateDraft&) = delete;
  ~TemplateDraft();

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::string memory_file() const;

 private:
  friend class TemplateStore;
  TemplateDraft(Fd lock, std::string directory, std::string key)
      : lock_(std::move(lock)), directory_(std::move(directory)), key_(std::move(key)) {}

  Fd lock_;
  std::string directory_;  ///< empty when it was kept or moved from
  std::string key_;
};

/// The templates of a user, in a directory that several launchers may share: one folder each, under its key
/// (template_key.h), which comes to be by a rename when it is whole. Thread-safe.
class TemplateStore {
 public:
  static constexpr std::size_t kMost = 8;  ///< templates; one more makes the one go that was used least lately

  /// Makes the directory where it is missing. ErrorKind::invalid when others could write to it.
  static Result<TemplateStore> open(const std::string& directory);
  TemplateStore(TemplateStore&& other) noexcept : directory_(std::move(other.directory_)) {}
  TemplateStore& operator=(TemplateStore&&) = delete;
  TemplateStore(const TemplateStore&) = delete;
  TemplateStore& operator=(const TemplateStore&) = delete;
  ~TemplateStore() = default;

  [[nodiscard]] bool has(const std::string& key) const;
  /// not_found when there is none, invalid when a file of it is not what was kept. The memory's sum is computed once,
  /// and again when the file has changed.
  Result<GuestTemplate> find(const std::string& key);

  /// Waits until no other maker is at work, and removes what killed ones have left. ErrorKind::cancelled when stop was
  /// requested.
  Result<TemplateDraft> begin(const std::string& key, const std::stop_token& stop);
  /// Gives the draft its name, with the state and the sums beside its memory, and removes all else that is in it.
  Result<> keep(TemplateDraft draft, const std::string& state);
  /// Removes a template that turned out to be unusable.
  void remove(const std::string& key);

 private:
  explicit TemplateStore(std::string directory) : directory_(std::move(directory)) {}
  Result<Fd> lock(const std::stop_token& stop) const;
  Result<> check_memory(const std::string& path, std::uint64_t size, const std::string& sum);
  void remove_the_oldest() const;
  [[nodiscard]] std::string path_of(const std::string& key) const { return directory_ + "/" + key; }

  std::string directory_;
  std::mutex mutex_;                         ///< for the map
  std::map<std::string, FileMark> checked_;  ///< by path: memory files whose sum was right
};

}  // namespace usbloop::launcher
