#include <arpa/inet.h>
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "common/log.h"
#include "device-sim/network/user_network.h"

// What libslirp is told by UserNetwork, and what it calls: on the thread, with the library's mutex held.
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
