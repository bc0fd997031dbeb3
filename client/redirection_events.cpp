#include <utility>

#include "client/redirection.h"

// What a redirection tells, and what it counts for that.
namespace usbloop::client {

namespace {

std::chrono::milliseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

}  // namespace

void Redirection::note_device() {
  auto facts = device_->facts();
  const std::lock_guard lock(told_mutex_);
  facts_ = std::move(facts);
}

Counters Redirection::counters() const {
  Counters counters;
  {
    const std::lock_guard lock(told_mutex_);
    counters = past_;
    if (in_session_) counters.redirected += since(announced_at_);
  }
  counters.transfers = traffic_.transfers;
  counters.errors = traffic_.errors;
  counters.bytes_to_guest = traffic_.bytes_to_guest;
  counters.bytes_from_guest = traffic_.bytes_from_guest;
  return counters;
}

void Redirection::tell(Happening what, const std::string& message, int exit_status) {
  Event event;
  event.what = what;
  event.time = std::chrono::system_clock::now();
  event.target = target_;
  event.message = message;
  event.exit_status = exit_status;
  event.counters = counters();
  {
    const std::lock_guard lock(told_mutex_);
    if (end_told_) return;
    if (is_end(what)) end_told_ = exit_status;
    event.device = facts_;
  }
  hooks_.tell(event);
}

int Redirection::end(Happening what, const std::string& message, int exit_status) {
  tell(what, message, exit_status);
  const std::lock_guard lock(told_mutex_);
  return *end_told_;
}

void Redirection::announced(const usbredir::DeviceDescription& device) {
  const bool again = std::exchange(redirected_, true);
  denied_ = false;
  said_.clear();
  {
    const std::lock_guard lock(told_mutex_);
    announced_at_ = std::chrono::steady_clock::now();
    in_session_ = true;
    ++past_.sessions;
  }
  tell(again ? Happening::redirecting_again : Happening::redirecting,
       "Redirecting " + device.label() + " to " + target_.label() + (again ? " again." : ". Press Ctrl-C to stop."));
}

void Redirection::session_over() {
  const std::lock_guard lock(told_mutex_);
  if (std::exchange(in_session_, false)) past_.redirected += since(announced_at_);
}

}  // namespace usbloop::client
