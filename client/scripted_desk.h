#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "client/device_source.h"
#include "client/redirection.h"
#include "client/scripted_host.h"

// For tests only.
namespace usbloop::client::testing {

/// The desk: a device that the test plugs and unplugs. It holds one end at a time.
class Desk {
 public:
  void unplug() {
    const std::lock_guard lock(mutex_);
    plugged_ = false;
    if (host_ == nullptr) return;
    host_->now = usbredir::HostState::device_gone;
    host_->wake();
  }
  void reject() {
    const std::lock_guard lock(mutex_);
    host_->now = usbredir::HostState::rejected;
    host_->wake();
  }
  void plug(ErrorKind wrong = ErrorKind::internal) {
    const std::lock_guard lock(mutex_);
    plugged_ = true;
    wrong_ = wrong;
    changed_.notify_all();
  }
  [[nodiscard]] int disconnects() const {
    const std::lock_guard lock(mutex_);
    return disconnects_;
  }
  [[nodiscard]] bool is_taken() const {
    const std::lock_guard lock(mutex_);
    return host_ != nullptr;
  }
  bool reliable = true;  ///< can come back
  bool breaks = false;   ///< finds the stream broken at once, as a parser does

 private:
  friend class DeskSource;
  class Host;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool plugged_ = true;
  ErrorKind wrong_ = ErrorKind::internal;  ///< internal: nothing is wrong
  ScriptedHost* host_ = nullptr;
  int disconnects_ = 0;
};

class Desk::Host final : public ScriptedHost {
 public:
  explicit Host(Desk& desk) : desk_(desk) {
    const std::lock_guard lock(desk_.mutex_);
    REQUIRE(desk_.host_ == nullptr);
    desk_.host_ = this;
    breaks = desk_.breaks;
  }
  ~Host() override {
    const std::lock_guard lock(desk_.mutex_);
    desk_.host_ = nullptr;
    desk_.disconnects_ += disconnects > 0 ? 1 : 0;
  }
  void set_wake(std::function<void()> callback) override {
    const std::lock_guard lock(desk_.mutex_);
    ScriptedHost::set_wake(std::move(callback));
  }

 private:
  Desk& desk_;
};

class DeskSource final : public DeviceSource {
 public:
  explicit DeskSource(Desk& desk, std::string name = "1-3") : desk_(desk), name_(std::move(name)) {}

  Result<> prepare() override {
    const std::lock_guard lock(desk_.mutex_);
    if (!desk_.plugged_) return make_error(ErrorKind::not_found, "find", "it", "it is unplugged");
    if (desk_.wrong_ != ErrorKind::internal) return make_error(desk_.wrong_, "open", "it", "wrong for now");
    return {};
  }
  Result<std::unique_ptr<usbredir::HostEnd>> take() override { return std::make_unique<Desk::Host>(desk_); }
  [[nodiscard]] DeviceFacts facts() const override {
    DeviceFacts facts;
    facts.name = name_;
    facts.id = "0951:1666";
    facts.bus = 1;
    facts.address = 3;
    facts.port = "1-2";
    facts.serial = "ABC";
    return facts;
  }
  [[nodiscard]] Result<> may_be_translated() const override {
    return make_error(ErrorKind::invalid, "translate", "it", "it is a script");
  }
  [[nodiscard]] std::string label() const override { return "the device"; }
  [[nodiscard]] bool can_come_back() const override { return desk_.reliable; }
  void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) override {
    std::unique_lock lock(desk_.mutex_);
    desk_.changed_.wait_for(lock, stop, time, [this] { return desk_.plugged_ && desk_.wrong_ == ErrorKind::internal; });
  }

 private:
  Desk& desk_;
  const std::string name_;
};

/// A person at the terminal: reads what is said and presses Ctrl-C. A program hears the events.
class Person {
 public:
  void hear(const Event& event, bool several) {
    const auto lines = plain_lines(event, several);
    const auto name = std::string(name_of(event.what).event) + "/" + std::string(name_of(event.what).reason);
    {
      const std::lock_guard lock(mutex_);
      events_.push_back(event);
      happenings_ += " " + name;
    }
    if (!lines.empty()) hear(lines);
  }
  void hear(const std::string& line) {
    const std::lock_guard lock(mutex_);
    all_ += line + "\n";
    heard_.notify_all();
  }
  [[nodiscard]] bool hears(const std::string& part, std::size_t times = 1) {
    std::unique_lock lock(mutex_);
    return heard_.wait_for(lock, std::chrono::seconds(20), [&] { return count_in(all_, part) >= times; });
  }
  [[nodiscard]] std::string all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  [[nodiscard]] std::vector<Event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  /// ` connecting/ redirecting/First …`, in order.
  [[nodiscard]] std::string happenings() const {
    const std::lock_guard lock(mutex_);
    return happenings_;
  }
  [[nodiscard]] std::size_t count(const std::string& part) const { return count_in(all(), part); }

 private:
  static std::size_t count_in(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }

  mutable std::mutex mutex_;
  std::condition_variable heard_;
  std::string all_;
  std::vector<Event> events_;
  std::string happenings_;
};

/// Without the pauses of a person's machine.
inline RedirectionOptions quick() {
  RedirectionOptions options;
  options.backoff = {std::chrono::milliseconds(5), std::chrono::milliseconds(20)};
  return options;
}

}  // namespace usbloop::client::testing
