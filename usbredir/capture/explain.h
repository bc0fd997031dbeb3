#pragma once

#include <string>

#include "usbredir/capture/urb.h"

namespace usbloop::capture {

/// A record in words, for a log: `guest: bulk OUT 0x02 #31: SCSI READ(10), block 8, 8 blocks` and
/// `device: control IN 0x80 #3: stall, the device refuses it`. One line of our own words and numbers; nothing of the
/// data stands in it. The comment is not in it.
std::string explain(const Urb& urb);

}  // namespace usbloop::capture
