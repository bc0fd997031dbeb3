#pragma once

#include <memory>

#include "usbredir/capture/capture_file.h"
#include "usbredir/capture/translator.h"
#include "usbredir/host_end.h"

namespace usbloop::capture {

/// `host` with all that passes translated for `sink`: the guest's bytes before the device gets them, the device's
/// before they are sent. Whoever watches nothing has the host itself, without this around it. `keep`: as for
/// Translator.
std::unique_ptr<usbredir::HostEnd> watch_host(std::unique_ptr<usbredir::HostEnd> host, std::size_t keep,
                                              Translator::Sink sink);

/// `host` with all that passes recorded in `file`, which must outlive it.
std::unique_ptr<usbredir::HostEnd> capture_host(std::unique_ptr<usbredir::HostEnd> host, CaptureFile& file);

/// `host` with each transfer told in words in the log, at the level trace.
std::unique_ptr<usbredir::HostEnd> explain_host(std::unique_ptr<usbredir::HostEnd> host);

}  // namespace usbloop::capture
