#include "kube-sim/observe/audit_log.h"

#include <exception>
#include <new>

#include "common/log.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kMostQueuedBytes = 8 * 1024 * 1024;

}  // namespace

AuditLog::AuditLog(AuditFile file) : file_(std::move(file)) {
  thread_ = std::thread([this] { run(); });
}

AuditLog::~AuditLog() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void AuditLog::began(const RequestEvent& event) {
  // Short requests are recorded once, when they are over.
  if (event.long_running) record(event, AuditStage::request_received);
}

void AuditLog::started(const RequestEvent& event) { record(event, AuditStage::response_started); }

void AuditLog::ended(const RequestEvent& event) { record(event, AuditStage::response_complete); }

void AuditLog::record(const RequestEvent& event, AuditStage stage) {
  try {
    const std::string line = audit_line(event, stage, std::chrono::system_clock::now());
    const std::scoped_lock lock(mutex_);
    if (queue_.size() + line.size() > kMostQueuedBytes) {
      ++lost_;
      return;
    }
    queue_ += line;
    ++queued_;
    changed_.notify_one();
  } catch (const std::exception&) {
    ++lost_;
  }
}

void AuditLog::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !queue_.empty() || stopping_; });
    if (queue_.empty()) return;
    const std::string lines = std::exchange(queue_, {});
    const std::uint64_t count = std::exchange(queued_, 0);
    lock.unlock();
    try {
      write(lines, count);
    } catch (const std::bad_alloc&) {
      lost_ += count;
    }
    lock.lock();
  }
}

void AuditLog::write(const std::string& lines, std::uint64_t count) {
  const auto written = file_.append(lines);
  if (!written) lost_ += count;
  if (!written && !failing_) spdlog::error("{}. Requests go on, and are not recorded", written.error().message());
  if (written && failing_) spdlog::warn("the audit log is written again; {} events were lost", lost_.load());
  failing_ = !written;
}

}  // namespace usbloop::apiserver
