#include "device-sim/network/slirp_library.h"

#include <dlfcn.h>

namespace usbloop::network {
namespace {

constexpr const char* kLibraryName = "libslirp.so.0";

template <typename Function>
bool find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<SlirpLibrary> SlirpLibrary::load() {
  void* const library = ::dlopen(kLibraryName, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  SlirpLibrary functions;
  if (library != nullptr && find_function(library, "slirp_new", functions.create) &&
      find_function(library, "slirp_cleanup", functions.destroy) &&
      find_function(library, "slirp_input", functions.input) &&
      find_function(library, "slirp_pollfds_fill", functions.fill) &&
      find_function(library, "slirp_pollfds_poll", functions.poll)) {
    return functions;
  }
  const char* const cause = ::dlerror();
  return make_error(ErrorKind::unavailable, "load", kLibraryName, cause == nullptr ? "it cannot be read" : cause,
                    "An emulated network needs the library libslirp: sudo apt install libslirp0");
}

std::mutex& SlirpLibrary::mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace usbloop::network
