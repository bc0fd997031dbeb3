#pragma once

namespace usbloop::bench {

/// Makes failed checks of the harness print a line. Without it they end the process. Call once, from main.
void take_checks();

}  // namespace usbloop::bench
