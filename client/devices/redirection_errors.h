#pragma once

#include <string>

#include "common/error.h"
#include "usbredir/host_end.h"

// What a person is told about a local device that could not be redirected. `said` is what usbredirhost said last: it
// gives its reasons only as text.
namespace usbloop::client {

/// Why the device could not be taken.
Error not_taken(const std::string& label, const std::string& said);

/// The guest side has broken the protocol, as `said`.
Error broken_protocol(const std::string& label, const std::string& said);

/// How the redirection of the device ended; success for a state that is no failure.
Result<> redirection_outcome(usbredir::HostState state, const usbredir::DeviceDescription& device,
                             const std::string& said);

}  // namespace usbloop::client
