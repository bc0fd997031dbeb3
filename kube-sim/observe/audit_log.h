#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "kube-sim/observe/audit_event.h"
#include "kube-sim/observe/audit_file.h"

namespace usbloop::apiserver {

/// Writes an audit event of every request into a file, from one thread of its own: requests do not wait for the disk.
/// What comes while the queue is full, or while the disk takes nothing, is lost, and counted; the server goes on.
class AuditLog final : public RequestObserver {
 public:
  explicit AuditLog(AuditFile file);
  /// Writes what is queued.
  ~AuditLog() override;
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void began(const RequestEvent& event) override;
  void started(const RequestEvent& event) override;
  /// Single events of a watch are not recorded.
  void sent(const RequestEvent&, std::size_t) override {}
  void ended(const RequestEvent& event) override;

  /// Events that could not be written so far.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void record(const RequestEvent& event, AuditStage stage);
  void run();
  void write(const std::string& lines, std::uint64_t count);

  AuditFile file_;
  std::atomic<std::uint64_t> lost_ = 0;
  bool failing_ = false;  ///< of the writing thread: said so already
  std::mutex mutex_;      ///< guards what follows
  std::condition_variable changed_;
  std::string queue_;
  std::uint64_t queued_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace usbloop::apiserver
