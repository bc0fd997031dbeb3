#pragma once

#include <slirp/libslirp.h>

#include <memory>
#include <mutex>

#include "common/error.h"

namespace usbloop::network {

/// The functions of libslirp.so.0, which is loaded when a network is made: the programs start without it, and it is not
/// to be had as a static library. It is never unloaded.
struct SlirpLibrary {
  decltype(&slirp_new) create = nullptr;
  decltype(&slirp_cleanup) destroy = nullptr;
  decltype(&slirp_input) input = nullptr;
  decltype(&slirp_pollfds_fill) fill = nullptr;
  decltype(&slirp_pollfds_poll) poll = nullptr;

  /// Errors: unavailable (the library is not installed, or is another one).
  static Result<SlirpLibrary> load();

  /// Held by whoever calls one of them: the library keeps its time and the resolver's address in variables that all its
  /// networks share. None of the functions waits.
  static std::mutex& mutex();
};

}  // namespace usbloop::network
