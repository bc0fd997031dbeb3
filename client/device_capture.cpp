#include "client/device_capture.h"

#include <utility>

#include "usbredir/capture/capture_flags.h"
#include "usbredir/capture/capturing_host.h"

namespace usbloop::client {

namespace {

using HostPtr = std::unique_ptr<usbredir::HostEnd>;

/// A source whose devices are watched.
class WatchedSource final : public DeviceSource {
 public:
  WatchedSource(std::unique_ptr<DeviceSource> source, std::function<HostPtr(HostPtr)> watch)
      : source_(std::move(source)), watch_(std::move(watch)) {}

  Result<> prepare() override { return source_->prepare(); }
  Result<HostPtr> take() override {
    auto host = source_->take();
    if (!host) return tl::unexpected(host.error());
    return watch_(std::move(*host));
  }
  [[nodiscard]] Result<> may_be_translated() const override { return source_->may_be_translated(); }
  [[nodiscard]] DeviceFacts facts() const override { return source_->facts(); }
  [[nodiscard]] std::string label() const override { return source_->label(); }
  [[nodiscard]] bool can_come_back() const override { return source_->can_come_back(); }
  void wait_for_arrival(std::chrono::milliseconds time, const std::stop_token& stop) override {
    source_->wait_for_arrival(time, stop);
  }

 private:
  const std::unique_ptr<DeviceSource> source_;
  const std::function<HostPtr(HostPtr)> watch_;
};

}  // namespace

Result<std::unique_ptr<DeviceCapture>> DeviceCapture::begin(const Options& options,
                                                            std::function<void(const std::string&)> say) {
  if (options.capture.path.empty()) return std::unique_ptr<DeviceCapture>();
  auto how = options.capture;
  how.application = std::string("kubectl-usbredir ") + USBLOOP_VERSION;
  auto file = capture::CaptureFile::create(how, [say](const Error& error) { say(capture::trouble_text(error)); });
  if (!file) return tl::unexpected(file.error());
  return std::unique_ptr<DeviceCapture>(new DeviceCapture(std::move(*file), how.path, std::move(say)));
}

std::unique_ptr<DeviceSource> DeviceCapture::wrap(std::unique_ptr<DeviceSource> source) {
  return std::make_unique<WatchedSource>(
      std::move(source), [this](HostPtr host) { return capture::capture_host(std::move(host), *file_); });
}

std::unique_ptr<DeviceSource> explain_device(std::unique_ptr<DeviceSource> source) {
  return std::make_unique<WatchedSource>(std::move(source), capture::explain_host);
}

void DeviceCapture::end() {
  std::call_once(ended_, [this] {
    constexpr std::chrono::seconds kPatience{2};
    const bool written = file_->close(kPatience);
    auto missing = capture::loss_text(file_->counts(), path_);
    if (!written && missing.empty())
      missing = "The end of the capture " + path_.string() + " is missing: its disk is too slow.";
    if (!missing.empty()) say_(missing);
  });
}

}  // namespace usbloop::client
