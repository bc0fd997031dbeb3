#include "device-sim/network/user_network.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <limits>
#include <utility>

#include "common/log.h"

namespace usbloop::network {

Result<std::unique_ptr<UserNetwork>> UserNetwork::start(Reach reach) {
  auto library = SlirpLibrary::load();
  if (!library) return tl::unexpected(library.error());
  Fd stir(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stir) return make_errno_error("make", "an eventfd");
  std::unique_ptr<UserNetwork> self(new UserNetwork(*library, std::move(reach), std::move(stir)));
  if (!self->make_slirp()) return make_error(ErrorKind::internal, "make", "an emulated network", "libslirp refuses");
  self->thread_ = std::thread([raw = self.get()] { raw->run(); });
  return self;
}

UserNetwork::UserNetwork(SlirpLibrary library, Reach reach, Fd stir)
    : library_(library), reach_(std::move(reach)), stir_(std::move(stir)), slirp_(nullptr, library.destroy) {}

UserNetwork::~UserNetwork() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  ::eventfd_write(stir_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

bool UserNetwork::has_room() const {
  const std::lock_guard lock(mutex_);
  return for_host_.size() < kMostForHost;
}

void UserNetwork::send(std::span<const std::byte> frame) {
  if (frame.size() > kLongestFrame || !reach_.allows(frame)) {
    ++refused_;
    return;
  }
  is_used_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (for_host_.size() >= kMostForHost) return;
    for_host_.emplace_back(frame.begin(), frame.end());
    if (for_host_.size() > 1) return;  // the thread knows already
  }
  ::eventfd_write(stir_.get(), 1);
}

Frame UserNetwork::receive() {
  const std::lock_guard lock(mutex_);
  if (for_guest_.empty()) return {};
  Frame frame = std::move(for_guest_.front());
  for_guest_.pop_front();
  return frame;
}

void UserNetwork::restart() {
  if (!std::exchange(is_used_, false)) return;
  {
    const std::lock_guard lock(mutex_);
    is_restarted_ = true;
    for_host_.clear();
    for_guest_.clear();
  }
  ::eventfd_write(stir_.get(), 1);
}

void UserNetwork::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(wake_mutex_);
  wake_ = std::move(wake);
}

void UserNetwork::wake() {
  const std::lock_guard lock(wake_mutex_);
  if (wake_) wake_();
}

void UserNetwork::run() {
  // A peer that has gone is an error of its socket, and a program's signals are for its other threads.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  do {
    const int ready = wait_for_sockets();
    const std::lock_guard lock(SlirpLibrary::mutex());
    // It sets the library's time as well, by which the sockets of the frames after it end.
    library_.poll(slirp_.get(), ready < 0 ? 1 : 0, ready_events, this);
  } while (take_orders());
  const std::lock_guard lock(SlirpLibrary::mutex());
  slirp_.reset();
}

/// Does what the others have asked for. False: nothing more.
bool UserNetwork::take_orders() {
  std::deque<Frame> frames;
  bool is_restarted = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return false;
    frames.swap(for_host_);
    is_restarted = std::exchange(is_restarted_, false);
  }
  if (frames.size() >= kMostForHost) wake();
  if (is_restarted && !make_slirp()) {
    spdlog::error("cannot make an emulated network anew: libslirp refuses");
    return false;
  }
  const std::lock_guard lock(SlirpLibrary::mutex());
  for (const Frame& frame : frames) hand_over(frame);
  return true;
}

void UserNetwork::hand_over(const Frame& frame) {
  if (sockets_.size() >= kMostSockets && may_open_socket(frame)) return;
  library_.input(slirp_.get(), reinterpret_cast<const std::uint8_t*>(frame.data()), static_cast<int>(frame.size()));
}

/// Until a socket is ready, or the library's time has come, or somebody stirs; as poll() has it.
int UserNetwork::wait_for_sockets() {
  polled_.assign(1, {stir_.get(), POLLIN, 0});
  std::uint32_t wait = std::numeric_limits<std::uint32_t>::max();
  {
    const std::lock_guard lock(SlirpLibrary::mutex());
    library_.fill(slirp_.get(), &wait, on_descriptor, this);
  }
  constexpr std::uint32_t kLongest = std::numeric_limits<int>::max();
  const int ready = ::poll(polled_.data(), polled_.size(), wait > kLongest ? -1 : static_cast<int>(wait));
  if (ready > 0 && polled_[0].revents != 0) {
    eventfd_t count = 0;
    ::eventfd_read(stir_.get(), &count);
  }
  return ready;
}

void UserNetwork::deliver(std::span<const std::byte> frame) {
  if (frame.size() < kFrameHead || frame.size() > kLongestFrame) return;
  {
    const std::lock_guard lock(mutex_);
    if (is_restarted_) return;  // for somebody who has gone
    if (for_guest_.size() >= kMostForGuest) {
      ++lost_;
      return;
    }
    for_guest_.emplace_back(frame.begin(), frame.end());
    if (for_guest_.size() > 1) return;  // it has been told of the first
  }
  wake();
}

}  // namespace usbloop::network
