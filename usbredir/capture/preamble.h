#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "usbredir/capture/urb.h"

namespace usbloop::capture {

/// What a reader has to know of a device to understand its transfers: descriptors and settings. Collected while they
/// pass, to be told again where a capture goes on in a new file. Bounded: what is too much is left out.
class Preamble {
 public:
  void look_at(const Urb& urb);

  /// The same requests and answers once more, beginnings and ends, the device descriptor first and the settings last.
  [[nodiscard]] std::vector<Urb> repeat() const;

 private:
  struct Exchange {
    Urb begin;
    Urb end;
  };
  void keep(Exchange&& exchange);

  std::map<std::uint64_t, Urb> asked_;           ///< by id; the answers have not come
  std::map<std::uint64_t, Exchange> exchanges_;  ///< in the order in which they are told
  std::size_t bytes_ = 0;
};

}  // namespace usbloop::capture
