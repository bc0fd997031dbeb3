#pragma once

#include <memory>

#include "usbredir/capture/capture_file.h"
#include "usbredir/host_end.h"

namespace usbloop::capture {

/// `host` with all that passes recorded in `file`: the guest's bytes before the device gets them, the device's before
/// they are sent. Whoever captures nothing has the host itself, without this around it. `file` must outlive it.
std::unique_ptr<usbredir::HostEnd> capture_host(std::unique_ptr<usbredir::HostEnd> host, CaptureFile& file);

}  // namespace usbloop::capture
