#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "usbredir/capture/urb.h"

namespace usbloop::capture {

/// The transfers of an endpoint that sends by itself once it was told to (isochronous, interrupt and buffered bulk IN).
/// usbredir has only what they brought; the transfers that wait for it on the device's side are put back here, as many
/// and as long as the guest side asked for.
class InputStream {
 public:
  struct Shape {
    usbredir::TransferType type = usbredir::TransferType::interrupt;
    std::uint8_t endpoint = 0;
    unsigned transfers = 1;    ///< in flight at a time
    unsigned packets = 1;      ///< of each, when it is isochronous
    std::uint32_t length = 0;  ///< bytes that each packet may have
  };
  using Sink = std::function<void(Urb&&)>;

  /// Begins with all transfers handed to the device. `ids` counts the transfers that usbredir knows nothing of.
  InputStream(const Shape& shape, std::uint64_t& ids, Sink sink);

  /// Data have come: `whole` bytes, of which `data` are kept. Ends a transfer, or is one packet of it, and hands over
  /// the next.
  void arrive(std::int32_t status, std::vector<std::byte> data, std::size_t whole);

  /// Ends all transfers with `status`.
  void stop(std::int32_t status);

 private:
  void submit();
  Urb next();
  void finish(Urb&& urb);

  const Shape shape_;
  std::uint64_t& ids_;
  const Sink sink_;
  std::deque<std::uint64_t> in_flight_;
  Urb gathered_;  ///< isochronous: the packets that have come of the first in flight
};

}  // namespace usbloop::capture
