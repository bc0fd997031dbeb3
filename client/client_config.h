#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client/devices/filter_rules.h"
#include "common/error.h"

namespace usbloop::client {

/// What a person's configuration file says. docs/client.md describes it.
struct ClientConfig {
  FilterRules filter;
};

/// Reads the text of a configuration file: lines `filter = RULES`, comments with #, empty lines. Errors: invalid, with
/// the line. `name` is the file's.
Result<ClientConfig> parse_client_config(std::string_view text, const std::string& name);

/// `$XDG_CONFIG_HOME/usbloop/usbredir.conf`, else `~/.config/usbloop/usbredir.conf` (XDG Base Directory Specification:
/// a relative XDG_CONFIG_HOME counts for nothing). Empty without a home directory.
std::string client_config_path();

/// The configuration of this person; that of no file is empty. A file that cannot be read or understood is an error:
/// its rules may not be left out. At most 64 KiB.
Result<ClientConfig> load_client_config(const std::string& path);

}  // namespace usbloop::client
