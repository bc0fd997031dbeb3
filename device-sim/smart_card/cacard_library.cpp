#include "device-sim/smart_card/cacard_library.h"

#include "device-sim/emulation/loaded_library.h"

namespace usbloop::device_sim {

Result<CacardLibrary> CacardLibrary::load() {
  CacardLibrary functions;
  LoadedLibrary library("libcacard.so.0");
  library.find("vcard_emul_options", functions.read_options)
      .find("vcard_emul_init", functions.begin)
      .find("vevent_get_next_vevent", functions.next_event)
      .find("vevent_delete", functions.free_event)
      .find("vreader_get_reader_by_name", functions.find_reader)
      .find("vreader_power_on", functions.power_on)
      .find("vreader_power_off", functions.power_off)
      .find("vreader_xfr_bytes", functions.transmit)
      .find("vreader_free", functions.free_reader);
  const auto whole = library.outcome("An emulated smart card needs the library libcacard: sudo apt install libcacard0");
  if (!whole) return tl::unexpected(whole.error());
  return functions;
}

}  // namespace usbloop::device_sim
