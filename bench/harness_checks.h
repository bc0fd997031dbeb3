#pragma once

namespace usbloop::bench {

/// Has failed checks of the harness printed; without it they end the process. Call once, from main.
void take_checks();

}  // namespace usbloop::bench
