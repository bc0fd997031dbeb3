#include "device-sim/smart_card/cacard_library.h"

#include <dlfcn.h>

namespace usbloop::device_sim {
namespace {

constexpr const char* kCacardName = "libcacard.so.0";

template <typename Function>
bool find_in_cacard(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<CacardLibrary> CacardLibrary::load() {
  void* const library = ::dlopen(kCacardName, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  CacardLibrary functions;
  if (library != nullptr && find_in_cacard(library, "vcard_emul_options", functions.read_options) &&
      find_in_cacard(library, "vcard_emul_init", functions.begin) &&
      find_in_cacard(library, "vevent_get_next_vevent", functions.next_event) &&
      find_in_cacard(library, "vevent_delete", functions.free_event) &&
      find_in_cacard(library, "vreader_get_reader_by_name", functions.find_reader) &&
      find_in_cacard(library, "vreader_power_on", functions.power_on) &&
      find_in_cacard(library, "vreader_power_off", functions.power_off) &&
      find_in_cacard(library, "vreader_xfr_bytes", functions.transmit) &&
      find_in_cacard(library, "vreader_free", functions.free_reader)) {
    return functions;
  }
  const char* const cause = ::dlerror();
  return make_error(ErrorKind::unavailable, "load", kCacardName, cause == nullptr ? "it cannot be read" : cause,
                    "An emulated smart card needs the library libcacard: sudo apt install libcacard0");
}

}  // namespace usbloop::device_sim
