#pragma once

#include <cstddef>  // the headers below use size_t without it

extern "C" {
#include <cacard/vcard_emul.h>
#include <cacard/vevent.h>
#include <cacard/vreader.h>
}

#include "common/error.h"

namespace usbloop::device_sim {

/// The functions of libcacard.so.0, which is loaded when a card is made: the programs start without it, and it is not
/// to be had as a static library. It is never unloaded.
struct CacardLibrary {
  decltype(&vcard_emul_options) read_options = nullptr;
  decltype(&vcard_emul_init) begin = nullptr;
  decltype(&vevent_get_next_vevent) next_event = nullptr;
  decltype(&vevent_delete) free_event = nullptr;
  decltype(&vreader_get_reader_by_name) find_reader = nullptr;
  decltype(&vreader_power_on) power_on = nullptr;
  decltype(&vreader_power_off) power_off = nullptr;
  decltype(&vreader_xfr_bytes) transmit = nullptr;
  decltype(&vreader_free) free_reader = nullptr;

  /// Errors: unavailable (the library is not installed, or is another one).
  static Result<CacardLibrary> load();
};

}  // namespace usbloop::device_sim
