#include "usbredir/capture/capturing_host.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/shown_text.h"
#include "usbredir/capture/explain.h"

namespace usbloop::capture {
namespace {

using usbredir::HostEnd;
using usbredir::HostState;

class WatchedHost final : public HostEnd {
 public:
  WatchedHost(std::unique_ptr<HostEnd> host, std::size_t keep, Translator::Sink sink)
      : host_(std::move(host)), translator_(keep, std::move(sink)) {}

  ~WatchedHost() override { translator_.end(); }
  WatchedHost(const WatchedHost&) = delete;
  WatchedHost& operator=(const WatchedHost&) = delete;

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return host_->device(); }
  void set_wake(std::function<void()> wake) override { host_->set_wake(std::move(wake)); }
  void look() override { host_->look(); }
  [[nodiscard]] bool wants_input() const override { return host_->wants_input(); }

  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override {
    // What the device did not take the last time is offered again, and has been recorded.
    if (!is_final(host_->state())) translator_.from_guest(bytes.subspan(std::min(ahead_, bytes.size())));
    auto taken = host_->receive(bytes);
    if (taken) ahead_ = std::max(ahead_, bytes.size()) - *taken;
    return taken;
  }

  [[nodiscard]] std::span<const std::byte> pending() const override { return host_->pending(); }
  void consume(std::size_t count) override {
    translator_.from_device(host_->pending().first(count));
    host_->consume(count);
  }

  [[nodiscard]] HostState state() const override { return host_->state(); }
  [[nodiscard]] Result<> outcome() const override { return host_->outcome(); }
  void disconnect() override { host_->disconnect(); }

 private:
  const std::unique_ptr<HostEnd> host_;
  Translator translator_;
  std::size_t ahead_ = 0;  ///< bytes of the guest that are recorded and not taken yet
};

/// The place of one redirection in a capture.
class Place {
 public:
  Place(CaptureFile& file, const usbredir::DeviceDescription& description)
      : file_(file), device_(file.add(description)) {}
  ~Place() { file_.remove(device_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void record(Urb&& urb) { file_.record(device_, std::move(urb)); }

 private:
  CaptureFile& file_;
  CaptureFile::Device& device_;
};

}  // namespace

std::unique_ptr<HostEnd> watch_host(std::unique_ptr<HostEnd> host, std::size_t keep, Translator::Sink sink) {
  return std::make_unique<WatchedHost>(std::move(host), keep, std::move(sink));
}

std::unique_ptr<HostEnd> capture_host(std::unique_ptr<HostEnd> host, CaptureFile& file) {
  // Shared, for a function can be copied; it goes with the translator.
  const auto place = std::make_shared<Place>(file, host->device());
  return watch_host(std::move(host), file.snap(), [place](Urb&& urb) { place->record(std::move(urb)); });
}

std::unique_ptr<HostEnd> explain_host(std::unique_ptr<HostEnd> host) {
  constexpr std::size_t kKeep = 31;  // a command of mass storage
  return watch_host(std::move(host), kKeep, [](Urb&& urb) {
    if (!urb.comment.empty()) spdlog::trace("usb: {}", one_line(urb.comment));
    spdlog::trace("usb: {}", explain(urb));
  });
}

}  // namespace usbloop::capture
