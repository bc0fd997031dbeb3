#include "device-sim/network/user_network.h"

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <utility>

#include "common/log.h"

namespace usbloop::network {
namespace {

in_addr address_of(std::uint32_t address) { return {htonl(address)}; }

SlirpConfig slirp_config(const Reach& reach) {
  constexpr std::size_t kLongestPacket = kLongestFrame - kFrameHead;
  SlirpConfig config{};
  config.version = 3;  // as libslirp 4.4 has it
  // The library's own bars stand behind Reach, which is finer.
  config.restricted = reach.is_closed() ? 1 : 0;
  config.disable_host_loopback = reach.ports.empty();
  config.disable_dns = !reach.outside;
  config.in_enabled = true;
  config.vnetwork = address_of(kNetworkAddress);
  config.vnetmask = address_of(kNetworkMask);
  config.vhost = address_of(kHostAddress);
  config.vdhcp_start = address_of(kGuestAddress);
  config.vnameserver = address_of(kResolverAddress);
  config.if_mtu = kLongestPacket;
  config.if_mru = kLongestPacket;
  return config;
}

void on_guest_error(const char* message, void*) { spdlog::debug("emulated network: {}", message); }

std::int64_t tell_nanoseconds(void*) {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void on_progress(void*) {}

UserNetwork& network_of(void* self) { return *static_cast<UserNetwork*>(self); }

/// One pair of bits for each kind of event.
constexpr std::pair<int, int> kEvents[] = {{SLIRP_POLL_IN, POLLIN},
                                           {SLIRP_POLL_OUT, POLLOUT},
                                           {SLIRP_POLL_PRI, POLLPRI},
                                           {SLIRP_POLL_ERR, POLLERR},
                                           {SLIRP_POLL_HUP, POLLHUP}};

}  // namespace

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
  stir();
  if (thread_.joinable()) thread_.join();
}

void UserNetwork::stir() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stir_.get(), &one, sizeof one));  // an eventfd takes it
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
  stir();
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
  stir();
}

void UserNetwork::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(wake_mutex_);
  wake_ = std::move(wake);
}

void UserNetwork::wake() {
  const std::lock_guard lock(wake_mutex_);
  if (wake_) wake_();
}

// Router advertisements of IPv6 alone have timers, and there is no IPv6.
const SlirpCb& UserNetwork::callbacks() {
  static const SlirpCb kCallbacks = [] {
    SlirpCb callbacks{};
    callbacks.send_packet = on_packet;
    callbacks.guest_error = on_guest_error;
    callbacks.clock_get_ns = tell_nanoseconds;
    callbacks.register_poll_fd = on_open;
    callbacks.unregister_poll_fd = on_close;
    callbacks.notify = on_progress;
    return callbacks;
  }();
  return kCallbacks;
}

bool UserNetwork::make_slirp() {
  const std::lock_guard lock(SlirpLibrary::mutex());
  slirp_.reset();
  sockets_.clear();
  const SlirpConfig config = slirp_config(reach_);
  slirp_.reset(library_.create(&config, &callbacks(), this));
  return slirp_ != nullptr;
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
  if (is_restarted && !make_slirp()) return false;
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
    std::uint64_t count = 0;
    static_cast<void>(!::read(stir_.get(), &count, sizeof count));
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

ssize_t UserNetwork::on_packet(const void* bytes, std::size_t size, void* self) {
  network_of(self).deliver({static_cast<const std::byte*>(bytes), size});
  return static_cast<ssize_t>(size);
}

void UserNetwork::on_open(int fd, void* self) { network_of(self).sockets_.insert(fd); }

void UserNetwork::on_close(int fd, void* self) { network_of(self).sockets_.erase(fd); }

int UserNetwork::on_descriptor(int fd, int events, void* self) {
  auto& polled = network_of(self).polled_;
  short wanted = 0;
  for (const auto& [slirp, system] : kEvents) {
    if ((events & slirp) != 0) wanted = static_cast<short>(wanted | system);
  }
  polled.push_back({fd, wanted, 0});
  return static_cast<int>(polled.size() - 1);
}

int UserNetwork::ready_events(int index, void* self) {
  const auto& polled = network_of(self).polled_;
  if (index < 0 || static_cast<std::size_t>(index) >= polled.size()) return 0;
  int events = 0;
  for (const auto& [slirp, system] : kEvents) {
    if ((polled[static_cast<std::size_t>(index)].revents & system) != 0) events |= slirp;
  }
  return events;
}

}  // namespace usbloop::network
