#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace usbloop::bench {

// The subcommands of usbloop-bench. Each adds itself to the application and returns what is to be run when it was
// chosen: it prints its result to standard output, its progress to standard error, and throws e2e::Failure.

using Command = std::function<void()>;

Command add_api_command(CLI::App& app);
Command add_relay_command(CLI::App& app);
Command add_scale_command(CLI::App& app);
Command add_guest_command(CLI::App& app);
Command add_distance_command(CLI::App& app);
Command add_devices_command(CLI::App& app);

/// One line of progress on standard error.
void say(const std::string& text);

}  // namespace usbloop::bench
