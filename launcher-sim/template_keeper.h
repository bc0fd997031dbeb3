#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "launcher-sim/qemu_command.h"
#include "launcher-sim/template_store.h"
#include "launcher-sim/vmi_spec.h"

namespace usbloop::launcher {

/// What there is for a guest that is about to begin.
struct TemplateAnswer {
  enum class Kind {
    ready,  ///< `found` has the template
    soon,   ///< it is being made, and waiting for it costs no more than booting: ask again in a moment
    boot    ///< none, for the reason in `why`
  };
  Kind kind = Kind::boot;
  std::string key = {};
  std::optional<GuestTemplate> found = std::nullopt;
  std::string why = {};
};

/// The templates of one launcher: finds them, and makes in a thread of its own those that were asked for, one at a
/// time. Thread-safe.
class TemplateKeeper {
 public:
  TemplateKeeper(TemplateStore store, QemuHost host);
  ~TemplateKeeper();
  TemplateKeeper(const TemplateKeeper&) = delete;
  TemplateKeeper& operator=(const TemplateKeeper&) = delete;

  /// Has the template of this shape made in the background, where there is none: guests of it may come.
  void prepare(const GuestSpec& shape);
  /// For a guest that may be cloned. One that is to boot for want of a template has it made for the next ones.
  TemplateAnswer ask(const GuestSpec& guest);
  /// A guest could not be made of this template: guests of its shape are booted for a while. The template goes, unless
  /// the machine was only too slow.
  void distrust(const std::string& key, const Error& cause);
  /// Ends the thread, and a template that is being made. Guests are booted from then on.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Wish {
    std::string key;
    GuestSpec shape;
    Clock::time_point since;
  };

  void work(const std::stop_token& stop);
  void make(const Wish& wish, const std::stop_token& stop);
  [[nodiscard]] bool is_worth_waiting(const std::string& key);
  void wish_for(const std::string& key, const GuestSpec& shape);

  TemplateStore store_;
  const QemuHost host_;
  std::mutex mutex_;  ///< for what follows
  std::condition_variable_any changed_;
  std::deque<Wish> wishes_;                              ///< the first is being made
  std::map<std::string, Clock::time_point> not_before_;  ///< keys that failed: when to try again
  std::jthread thread_;
};

}  // namespace usbloop::launcher
