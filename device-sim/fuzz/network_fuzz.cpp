#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <span>
#include <utility>

#include "device-sim/emulation/faulty_device.h"
#include "device-sim/fuzz/any_guest.h"
#include "device-sim/fuzz/targets.h"
#include "device-sim/network/network_adapter.h"
#include "device-sim/network/reach.h"

namespace usbloop::device_sim::fuzz {
namespace {

/// Sends everything back, and aborts when a frame is none.
class MirrorNetwork final : public network::Network {
 public:
  [[nodiscard]] bool has_room() const override { return frames_.size() < kMost; }
  void send(std::span<const std::byte> frame) override {
    if (frame.size() < network::kFrameHead || frame.size() > network::kLongestFrame || !has_room()) std::abort();
    const bool goes_out = network::Reach{.ports = {80}, .outside = true}.allows(frame);
    // What a narrower reach lets through, a wider one does.
    if (!goes_out && network::Reach{}.allows(frame)) std::abort();
    if (goes_out) static_cast<void>(network::may_open_socket(frame));
    frames_.emplace_back(frame.begin(), frame.end());
  }
  network::Frame receive() override {
    if (frames_.empty()) return {};
    network::Frame frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }
  [[nodiscard]] std::uint64_t lost() const override { return 0; }
  [[nodiscard]] std::uint64_t refused() const override { return 0; }
  void restart() override { frames_.clear(); }
  void set_wake(std::function<void()>) override {}

 private:
  static constexpr std::size_t kMost = 4;
  std::deque<network::Frame> frames_;
};

}  // namespace

// The first byte chooses the speed of a network adapter, and whether its data interface has been opened. Then what a
// guest does to it (AnyGuest).
void network(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto choice = std::to_integer<unsigned>(input[0]);
  NetworkAdapterOptions options;
  if ((choice & 1) != 0) options.speed = usbredir::Speed::full;
  options.mac = network::made_up_mac("fuzz");
  AnyGuest guest(
      std::make_unique<FaultyDevice>(std::make_unique<NetworkAdapter>(options, std::make_unique<MirrorNetwork>())));
  if ((choice & 2) != 0) guest.select(1, 1);
  guest.play(input.subspan(1));
  guest.end();
}

}  // namespace usbloop::device_sim::fuzz
