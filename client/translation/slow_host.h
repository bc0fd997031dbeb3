#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "usbredir/host_end.h"

// For tests only.
namespace usbloop::client::testing {

/// A host end whose answers come when the test lets them: a stick that takes its time.
class SlowHost final : public usbredir::HostEnd {
 public:
  explicit SlowHost(std::unique_ptr<usbredir::HostEnd> host) : host_(std::move(host)) {}

  /// Lets the next `bytes` through.
  void allow(std::size_t bytes) { allowed_ += bytes; }
  /// Nothing more, until it is allowed again.
  void stop() { allowed_ = 0; }
  /// Lets all through, from now on.
  void hurry(bool always) { always_ = always; }
  [[nodiscard]] bool is_holding() const { return !always_ && !host_->pending().empty(); }
  /// The stick is pulled out.
  void unplug() { is_gone_ = true; }

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return host_->device(); }
  void set_wake(std::function<void()> wake) override { host_->set_wake(std::move(wake)); }
  [[nodiscard]] bool wants_input() const override { return host_->wants_input(); }
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override { return host_->receive(bytes); }
  [[nodiscard]] std::span<const std::byte> pending() const override {
    const auto all = host_->pending();
    return always_ ? all : all.first(std::min(all.size(), allowed_));
  }
  void consume(std::size_t count) override {
    if (!always_) allowed_ -= count;
    host_->consume(count);
  }
  [[nodiscard]] usbredir::HostState state() const override {
    return is_gone_ ? usbredir::HostState::device_gone : host_->state();
  }
  [[nodiscard]] Result<> outcome() const override {
    if (is_gone_) return make_error(ErrorKind::unavailable, "redirect", "", "pulled out");
    return host_->outcome();
  }
  void disconnect() override { host_->disconnect(); }

 private:
  std::unique_ptr<usbredir::HostEnd> host_;
  std::size_t allowed_ = 0;
  bool always_ = true;
  bool is_gone_ = false;
};

}  // namespace usbloop::client::testing
