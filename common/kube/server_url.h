#pragma once

#include <cstdint>
#include <string>

#include "common/error.h"

namespace usbloop::kube {

/// The parts of a cluster's `server` field.
struct ServerUrl {
  bool tls = true;
  std::string host;  ///< without brackets
  std::uint16_t port = 443;
  std::string path_prefix;  ///< "" or "/prefix"
};

/// Parses "http(s)://host[:port][/prefix]". The error's cause says what is wrong; operation and object are the
/// caller's.
Result<ServerUrl> parse_server_url(const std::string& text);

}  // namespace usbloop::kube
