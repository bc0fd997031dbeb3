#pragma once

#include <poll.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "common/error.h"
#include "common/fd.h"
#include "device-sim/network/network.h"
#include "device-sim/network/reach.h"
#include "device-sim/network/slirp_library.h"

namespace usbloop::network {

/// A network of one guest, made by libslirp out of this process's own sockets: 10.0.2.0/24 with DHCP, this machine at
/// 10.0.2.2, a resolver at 10.0.2.3, IPv4 alone. The library and its sockets belong to a thread of their own.
class UserNetwork final : public Network {
 public:
  /// What waits, in frames. More for the guest get lost.
  static constexpr std::size_t kMostForHost = 64, kMostForGuest = 256;
  /// While so many sockets are open, the guest opens no more. Each takes up to 256 KiB, and a descriptor of the
  /// process.
  static constexpr std::size_t kMostSockets = 128;

  /// Errors: unavailable (no library), internal (no descriptors).
  static Result<std::unique_ptr<UserNetwork>> start(Reach reach);
  ~UserNetwork() override;
  UserNetwork(const UserNetwork&) = delete;
  UserNetwork& operator=(const UserNetwork&) = delete;

  [[nodiscard]] bool has_room() const override;
  void send(std::span<const std::byte> frame) override;
  Frame receive() override;
  [[nodiscard]] std::uint64_t lost() const override { return lost_; }
  [[nodiscard]] std::uint64_t refused() const override { return refused_; }
  void restart() override;
  void set_wake(std::function<void()> wake) override;

 private:
  UserNetwork(SlirpLibrary library, Reach reach, Fd stir);

  void run();
  [[nodiscard]] bool make_slirp();
  bool take_orders();
  [[nodiscard]] int wait_for_sockets();
  void hand_over(const Frame& frame);
  void deliver(std::span<const std::byte> frame);
  void wake();

  // What libslirp calls; on the thread, with the library's mutex held.
  static const SlirpCb& callbacks();
  static ssize_t on_packet(const void* bytes, std::size_t size, void* self);
  static void on_open(int fd, void* self);
  static void on_close(int fd, void* self);
  static int on_descriptor(int fd, int events, void* self);
  static int ready_events(int index, void* self);

  const SlirpLibrary library_;
  const Reach reach_;
  const Fd stir_;  ///< an eventfd: there is something in what the mutex guards

  mutable std::mutex mutex_;
  std::deque<Frame> for_host_, for_guest_;
  bool is_stopped_ = false;
  bool is_restarted_ = false;

  std::mutex wake_mutex_;
  std::function<void()> wake_;

  std::atomic<std::uint64_t> lost_ = 0;
  std::uint64_t refused_ = 0;
  bool is_used_ = false;  ///< something was sent since the last restart

  // Of the thread.
  std::unique_ptr<Slirp, void (*)(Slirp*)> slirp_;  ///< freed with the library's mutex held
  std::vector<pollfd> polled_;
  std::set<int> sockets_;  ///< that the library has open

  std::thread thread_;
};

}  // namespace usbloop::network
