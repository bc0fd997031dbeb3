#pragma once

namespace usbloop::client {

/// What the program's exit status says; docs/client.md has the table.
inline constexpr int kExitAsAsked = 0;  ///< ended as the person asked, or listed what was asked for
inline constexpr int kExitFailed = 1;   ///< refused, failed, or ended by another side for good
inline constexpr int kExitUsage = 2;    ///< the command line is wrong

}  // namespace usbloop::client
