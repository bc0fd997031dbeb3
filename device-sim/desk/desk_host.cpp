#include "device-sim/desk/desk_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "common/json_at.h"
#include "device-sim/desk/poll_thread.h"

namespace usbloop::desk {

namespace {

using usbredir::HostState;

constexpr std::size_t kRoom = 256 * 1024;  ///< bytes for the guest that are read ahead
/// What the desk still says when its end is near: its queue, and what the kernel holds.
constexpr std::size_t kLastRoom = 32 * 1024 * 1024;
/// disconnect() waits for the desk's disk so long at most.
constexpr std::chrono::milliseconds kFlushTime{10'000};

class DeskHost final : public usbredir::HostEnd {
 public:
  DeskHost(DeskClient desk, DeskClient::Taken taken, std::unique_ptr<PollThread> poll)
      : desk_(std::move(desk)),
        stream_(std::move(taken.stream)),
        description_(std::move(taken.device.description)),
        poll_(std::move(poll)) {
    rearm();
  }
  ~DeskHost() override {
    poll_->forget(stream_.get());
    poll_->forget(desk_.descriptor());
  }
  DeskHost(const DeskHost&) = delete;
  DeskHost& operator=(const DeskHost&) = delete;

  [[nodiscard]] const usbredir::DeviceDescription& device() const override { return description_; }
  void set_wake(std::function<void()> wake) override { poll_->set_wake(std::move(wake)); }
  void look() override;
  [[nodiscard]] bool wants_input() const override { return !is_blocked_; }
  [[nodiscard]] Result<std::size_t> receive(std::span<const std::byte> bytes) override;
  [[nodiscard]] std::span<const std::byte> pending() const override { return std::span(output_).subspan(sent_); }
  void consume(std::size_t count) override;
  [[nodiscard]] HostState state() const override { return state_; }
  [[nodiscard]] Result<> outcome() const override;
  void disconnect() override;

 private:
  void read_stream(std::size_t most);
  void hear_desk();
  void hear(const nlohmann::json& line);
  void end(HostState state, std::optional<Error> error);
  void rearm();

  DeskClient desk_;
  const Fd stream_;
  const usbredir::DeviceDescription description_;
  std::vector<std::byte> output_;  ///< for the guest
  std::size_t sent_ = 0;           ///< of output_
  bool is_blocked_ = false;        ///< the desk takes no more for now
  bool has_ended_ = false;         ///< the desk's stream
  HostState state_ = HostState::waiting;
  std::optional<Error> error_;
  const std::unique_ptr<PollThread> poll_;  ///< last: its thread ends first
};

void DeskHost::end(HostState state, std::optional<Error> error) {
  if (is_final(state_)) return;
  read_stream(kLastRoom);  // all that the desk has said before it
  state_ = state;
  error_ = std::move(error);
  is_blocked_ = false;
}

/// Reads for the guest until there is nothing, or `most` bytes wait.
void DeskHost::read_stream(std::size_t most) {
  while (!has_ended_ && output_.size() < most) {
    const std::size_t before = output_.size();
    output_.resize(std::min(most, before + kRoom));
    const ssize_t got = ::recv(stream_.get(), output_.data() + before, output_.size() - before, MSG_DONTWAIT);
    output_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got > 0) continue;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    has_ended_ = true;
    ::shutdown(stream_.get(), SHUT_WR);  // so that the desk need not wait for us
  }
}

void DeskHost::hear(const nlohmann::json& line) {
  if (text_at(line, "/state") == "announced" && state_ == HostState::waiting) state_ = HostState::announced;
  if (const auto word = text_at(line, "/ended"); !word.empty()) {
    const auto* error = element_at(line, "/error");
    const bool has_error = error != nullptr && error->is_object();
    end(state_of(word), has_error ? std::optional(error_from(*error)) : std::nullopt);
  }
}

void DeskHost::hear_desk() {
  while (!is_final(state_)) {
    const auto line = desk_.next_line(std::chrono::milliseconds(0));
    if (!line) return end(HostState::device_gone, line.error());
    if (!*line) return;
    hear(**line);
  }
}

void DeskHost::look() {
  if (is_final(state_)) return;
  is_blocked_ = false;  // receive() finds out again
  if (output_.empty()) read_stream(kRoom);
  hear_desk();
  rearm();
}

Result<std::size_t> DeskHost::receive(std::span<const std::byte> bytes) {
  if (is_final(state_)) return bytes.size();
  if (state_ == HostState::announced) state_ = HostState::in_use;
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const auto rest = bytes.subspan(taken);
    const ssize_t part = ::send(stream_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      is_blocked_ = true;
      break;
    }
    if (part < 0) return bytes.size();  // the desk's end is over: look() hears why
    taken += static_cast<std::size_t>(part);
  }
  if (is_blocked_) rearm();
  return taken;
}

void DeskHost::consume(std::size_t count) {
  sent_ += count;
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
  if (is_final(state_)) return;
  read_stream(kRoom);
  rearm();
}

/// Has itself looked at when there is something to read, or room to write.
void DeskHost::rearm() {
  if (is_final(state_)) return;
  const unsigned in = output_.empty() && !has_ended_ ? EPOLLIN : 0U;
  const unsigned out = is_blocked_ && !has_ended_ ? EPOLLOUT : 0U;
  if (has_ended_) {
    poll_->forget(stream_.get());  // its end would wake without end
  } else if (auto armed = poll_->arm(stream_.get(), in | out); !armed) {
    return end(HostState::device_gone, armed.error());
  }
  if (auto armed = poll_->arm(desk_.descriptor(), EPOLLIN); !armed) end(HostState::device_gone, armed.error());
}

Result<> DeskHost::outcome() const {
  if (error_) return tl::unexpected(*error_);
  return {};
}

void DeskHost::disconnect() {
  if (is_final(state_)) return;
  desk_.release();
  const auto until = std::chrono::steady_clock::now() + kFlushTime;
  while (!is_final(state_)) {
    read_stream(kLastRoom);  // or the desk would wait for room
    hear_desk();
    if (is_final(state_)) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      return end(HostState::disconnected,
                 Error{ErrorKind::timeout, "give back", description_.label(), "the desk does not say that it has it"});
    }
    std::array<pollfd, 2> both{{{desk_.descriptor(), POLLIN, 0}, {has_ended_ ? -1 : stream_.get(), POLLIN, 0}}};
    static_cast<void>(::poll(both.data(), both.size(), static_cast<int>(left)));
  }
}

}  // namespace

Result<std::unique_ptr<usbredir::HostEnd>> take_from_desk(DeskClient desk, const std::string& name,
                                                          const std::string& program) {
  auto poll = PollThread::start();
  if (!poll) return tl::unexpected(poll.error());
  auto taken = desk.take(name, program);
  if (!taken) return tl::unexpected(taken.error());
  return std::make_unique<DeskHost>(std::move(desk), std::move(*taken), std::move(*poll));
}

}  // namespace usbloop::desk
