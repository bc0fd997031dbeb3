#include "client/devices/libusb_host.h"

#include <libusb.h>
#include <usbredirhost.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "client/devices/device_description.h"
#include "client/devices/give_back.h"
#include "client/devices/output_queue.h"
#include "client/devices/redir_library.h"
#include "client/devices/redirection_errors.h"
#include "client/devices/unplug_watch.h"
#include "common/log.h"
#include "usbredir/packet_gate.h"

namespace usbloop::client {

namespace {

using usbredir::HostState;

/// With so much output waiting, the guest's bytes are left unread; with so little, reading goes on.
constexpr std::size_t kHighWater = 4 * 1024 * 1024;
constexpr std::size_t kLowWater = 1024 * 1024;

/// usbredirhost, with the threads that its documentation allows. The holder's thread reads the guest's bytes. One
/// thread runs libusb's events, unplugs among them. Whichever of the two has made output writes it, under
/// usbredirparser's write lock.
class LibusbHost : public usbredir::HostEnd {
 public:
  LibusbHost(UsbContextPtr context, usbredir::DeviceDescription description, std::optional<Process> guard)
      : guard_(std::move(guard)),
        description_(std::move(description)),
        context_(std::move(context)),
        output_(kHighWater, [this](std::uint8_t* data) { usbredirhost_free_write_buffer(host_.get(), data); }) {}
  ~LibusbHost() override;

  Result<> start(UsbHandlePtr handle);

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return description_; }
  void set_wake(std::function<void()> wake) override;
  [[nodiscard]] bool wants_input() const override { return !congested_; }
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override;
  [[nodiscard]] std::span<const std::byte> pending() const override { return output_.front(); }
  void consume(std::size_t count) override;
  [[nodiscard]] HostState state() const override { return state_; }
  [[nodiscard]] Result<> outcome() const override { return redirection_outcome(state_, description_, last_error()); }
  void disconnect() override;

 private:
  // Callbacks of the library; `self` is a LibusbHost.
  static void on_log(void* self, int level, const char* text);
  static int on_read(void* self, std::uint8_t* data, int count);
  static int on_write(void* self, std::uint8_t* data, int count);
  static void on_flush(void* self);
  static std::uint64_t on_output_size(void* self) { return static_cast<LibusbHost*>(self)->output_.bytes(); }

  std::string last_error() const;
  void advance(HostState next);
  void look_at_state(int read_result);
  void check_congestion();
  void release_device();
  void wake();
  void run_events();
  void on_unplug();

  const std::optional<Process> guard_;  // declared first: it ends when the device is back
  const usbredir::DeviceDescription description_;
  UsbContextPtr context_;
  OutputQueue output_;
  RedirHostPtr host_;

  usbredir::PacketGate gate_{usbredir::PacketLimits{}, true};
  std::span<const std::byte> input_;  // what receive() was given and on_read() has not taken
  std::atomic<bool> congested_{false};
  std::atomic<HostState> state_{HostState::waiting};
  mutable std::mutex error_mutex_;
  std::string last_error_;  // of the library or the gate, for start() and outcome()
  std::atomic<bool> started_{false};
  std::mutex wake_mutex_;
  std::function<void()> wake_;

  std::atomic<bool> stopping_{false};
  std::unique_ptr<UnplugWatch> unplug_;
  std::thread events_;
};

Result<> LibusbHost::start(UsbHandlePtr handle) {
  take_libusb_log();
  auto unplug = UnplugWatch::start(context_.get(), handle.get(), [this] { on_unplug(); });
  if (unplug) {
    unplug_ = std::move(*unplug);
  } else {
    spdlog::warn("an unplug would be noticed only when the guest uses the device: {}", unplug.error().message());
  }
  events_ = std::thread([this] { run_events(); });
  host_ = open_redir_host(context_.get(), {on_log, on_read, on_write, on_flush}, this);
  if (!host_) return make_error(ErrorKind::internal, "redirect", description_.label(), last_error());
  usbredirhost_set_buffered_output_size_cb(host_.get(), on_output_size);
  // The library owns the handle from here on, also when it fails.
  const int status = usbredirhost_set_device(host_.get(), handle.release());
  if (status != usb_redir_success) return tl::unexpected(not_taken(description_.label(), last_error()));
  usbredirhost_write_guest_data(host_.get());
  started_ = true;
  return {};
}

LibusbHost::~LibusbHost() {
  set_wake(nullptr);
  stopping_ = true;
  if (host_) release_device();
  if (events_.joinable()) {
    libusb_interrupt_event_handler(context_.get());
    events_.join();
  }
  output_.clear();
}

void LibusbHost::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(wake_mutex_);
  wake_ = std::move(wake);
}

void LibusbHost::wake() {
  const std::lock_guard lock(wake_mutex_);
  if (wake_) wake_();
}

void LibusbHost::run_events() {
  while (!stopping_) {
    // Sleeps in poll() until a transfer ends, a handle opens or closes, or somebody interrupts.
    timeval long_time{60, 0};
    const int code = libusb_handle_events_timeout_completed(context_.get(), &long_time, nullptr);
    if (code != 0 && code != LIBUSB_ERROR_INTERRUPTED) {
      spdlog::warn("libusb cannot wait for events: {}", libusb_strerror(code));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // so that a lasting error does not spin
    }
  }
}

void LibusbHost::on_unplug() {
  advance(HostState::device_gone);
  wake();
}

void LibusbHost::on_log(void* self, int level, const char* text) {
  auto& host = *static_cast<LibusbHost*>(self);
  std::string line = usbredir::printable(text);
  for (const char* prefix : {"usbredirhost: ", "usbredirparser: "}) {
    if (line.starts_with(prefix)) line.erase(0, std::strlen(prefix));
  }
  // An error while the device is taken becomes the error that start() returns.
  const auto severity = host.started_ ? redir_log_level(level) : spdlog::level::debug;
  spdlog::log(severity, "usbredirhost: {}", line);
  if (level > usbredirparser_error) return;
  const std::lock_guard lock(host.error_mutex_);
  host.last_error_ = std::move(line);
}

std::string LibusbHost::last_error() const {
  const std::lock_guard lock(error_mutex_);
  return last_error_;
}

int LibusbHost::on_read(void* self, std::uint8_t* data, int count) {
  auto& host = *static_cast<LibusbHost*>(self);
  host.check_congestion();
  if (host.congested_) return 0;  // "would block": the rest is offered again
  const auto piece = host.gate_.pass(host.input_, static_cast<std::size_t>(count));
  if (!piece) {
    const std::lock_guard lock(host.error_mutex_);
    host.last_error_ = piece.error().cause;
    return -1;
  }
  std::copy(piece->begin(), piece->end(), reinterpret_cast<std::byte*>(data));
  host.input_ = host.input_.subspan(piece->size());
  return static_cast<int>(piece->size());
}

/// Owned buffers must be taken whole; 0 leaves the packet in the library until consume() has made room.
int LibusbHost::on_write(void* self, std::uint8_t* data, int count) {
  auto& host = *static_cast<LibusbHost*>(self);
  const auto packet = std::as_bytes(std::span(data, static_cast<std::size_t>(count)));
  if (const auto next = state_after(packet)) host.advance(*next);
  return host.output_.push(data, static_cast<std::size_t>(count)) ? count : 0;
}

void LibusbHost::on_flush(void* self) {
  auto& host = *static_cast<LibusbHost*>(self);
  if (!host.host_) return;  // the hello, made while the library is opened
  usbredirhost_write_guest_data(host.host_.get());
  host.wake();
}

/// States only go forward, and a final state stays.
void LibusbHost::advance(HostState next) {
  HostState now = state_;
  while (!is_final(now) && next > now && !state_.compare_exchange_weak(now, next)) {
  }
}

void LibusbHost::check_congestion() {
  if (!congested_) {
    congested_ = output_.full();
  } else if (output_.bytes() <= kLowWater && usbredirhost_has_data_to_write(host_.get()) == 0) {
    congested_ = false;
  }
}

Result<std::size_t> LibusbHost::receive(std::span<const std::byte> bytes) {
  if (is_final(state_)) return bytes.size();
  input_ = bytes;
  const int result = usbredirhost_read_guest_data(host_.get());
  const std::size_t taken = bytes.size() - input_.size();
  input_ = {};
  look_at_state(result);
  if (state_ == HostState::failed) return tl::unexpected(outcome().error());
  return is_final(state_) ? bytes.size() : taken;
}

void LibusbHost::look_at_state(int read_result) {
  switch (read_result) {
    case usbredirhost_read_io_error:  // on_read() has refused a packet
    case usbredirhost_read_parse_error:
      advance(HostState::failed);
      release_device();
      break;
    case usbredirhost_read_device_rejected:
      advance(HostState::rejected);
      release_device();
      break;
    case usbredirhost_read_device_lost: advance(HostState::device_gone); break;
    default: break;
  }
}

void LibusbHost::consume(std::size_t count) {
  output_.consume(count);
  if (output_.bytes() <= kLowWater) usbredirhost_write_guest_data(host_.get());
  check_congestion();
}

void LibusbHost::disconnect() {
  if (is_final(state_)) return;
  // The state is set first: otherwise the packet that the library is about to write would look like an unplug.
  advance(HostState::disconnected);
  release_device();
}

void LibusbHost::release_device() { usbredirhost_set_device(host_.get(), nullptr); }

}  // namespace

Result<std::unique_ptr<usbredir::HostEnd>> make_libusb_host(UsbContextPtr context, UsbHandlePtr handle,
                                                            const LocalDevice& info) {
  auto description = describe_device(handle.get(), info);
  auto guard = start_guard(info);
  if (!guard) spdlog::warn("the device would not be given back if this program is killed: {}", guard.error().message());
  auto host = std::make_unique<LibusbHost>(std::move(context), std::move(description),
                                           guard ? std::optional(std::move(*guard)) : std::nullopt);
  if (auto started = host->start(std::move(handle)); !started) return tl::unexpected(started.error());
  return host;
}

}  // namespace usbloop::client
