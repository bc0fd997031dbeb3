#include "device-sim/network/slirp_library.h"

#include "device-sim/emulation/loaded_library.h"

namespace usbloop::network {

Result<SlirpLibrary> SlirpLibrary::load() {
  SlirpLibrary functions;
  device_sim::LoadedLibrary library("libslirp.so.0");
  library.find("slirp_new", functions.create)
      .find("slirp_cleanup", functions.destroy)
      .find("slirp_input", functions.input)
      .find("slirp_pollfds_fill", functions.fill)
      .find("slirp_pollfds_poll", functions.poll);
  const auto whole = library.outcome("An emulated network needs the library libslirp: sudo apt install libslirp0");
  if (!whole) return tl::unexpected(whole.error());
  return functions;
}

std::mutex& SlirpLibrary::mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace usbloop::network
