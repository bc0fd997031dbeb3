#include "usbredir/capture/capturing_host.h"

#include <algorithm>
#include <utility>

#include "usbredir/capture/translator.h"

namespace usbloop::capture {
namespace {

using usbredir::HostEnd;
using usbredir::HostState;

class CapturingHost final : public HostEnd {
 public:
  CapturingHost(std::unique_ptr<HostEnd> host, CaptureFile& file)
      : host_(std::move(host)),
        file_(file),
        device_(file.add(host_->device())),
        translator_(file.snap(), [this](Urb&& urb) { file_.record(device_, std::move(urb)); }) {}

  ~CapturingHost() override {
    translator_.end();
    file_.remove(device_);
  }

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return host_->device(); }
  void set_wake(std::function<void()> wake) override { host_->set_wake(std::move(wake)); }
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
  CaptureFile& file_;
  CaptureFile::Device& device_;
  Translator translator_;
  std::size_t ahead_ = 0;  ///< bytes of the guest that are recorded and not taken yet
};

}  // namespace

std::unique_ptr<HostEnd> capture_host(std::unique_ptr<HostEnd> host, CaptureFile& file) {
  return std::make_unique<CapturingHost>(std::move(host), file);
}

}  // namespace usbloop::capture
