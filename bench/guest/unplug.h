#pragma once

#include <functional>
#include <string>
#include <vector>

namespace usbloop::bench {

/// Pulls an idle stick out of a person's machine, again and again, and measures how long it takes the guest to say that
/// it has lost it: milliseconds, a value for each time. The person's machine is a second virtual one with a kernel of
/// its own, whose hardware the real client takes by libusb and keeps waiting for.
std::vector<double> measure_unplug(int times, const std::function<void(const std::string&)>& progress);

}  // namespace usbloop::bench
