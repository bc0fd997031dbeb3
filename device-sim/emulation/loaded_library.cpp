#include "device-sim/emulation/loaded_library.h"

#include <dlfcn.h>

#include <utility>

namespace usbloop::device_sim {
namespace {

std::string last_failure() {
  const char* const cause = ::dlerror();
  return cause == nullptr ? "it cannot be read" : cause;
}

}  // namespace

LoadedLibrary::LoadedLibrary(const char* name)
    : name_(name), library_(::dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
  if (library_ == nullptr) failure_ = last_failure();
}

void* LoadedLibrary::look_up(const char* name) {
  void* const found = library_ == nullptr ? nullptr : ::dlsym(library_, name);
  if (found == nullptr && failure_.empty()) failure_ = last_failure();
  return found;
}

Result<> LoadedLibrary::outcome(std::string hint) const {
  if (failure_.empty()) return {};
  return make_error(ErrorKind::unavailable, "load", name_, failure_, std::move(hint));
}

}  // namespace usbloop::device_sim
