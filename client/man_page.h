#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace usbloop::client {

/// The manual page in man's own notation, from the options' help, so that it says what --help says. `version`: what
/// --version prints.
std::string man_page(const CLI::App& app, const std::string& version);

}  // namespace usbloop::client
