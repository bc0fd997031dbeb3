#pragma once

#include <cstdint>
#include <string>

#include "common/error.h"

namespace usbloop::net {

/// Where a usbredir program meets its other side.
struct Address {
  std::string host;        ///< empty for a unix socket
  std::uint16_t port = 0;  ///< 0 only for listening: the kernel chooses
  std::string path;        ///< of a unix socket

  [[nodiscard]] bool is_unix() const { return !path.empty(); }
  /// As parse_address() reads it.
  [[nodiscard]] std::string text() const;
};

/// `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`. ErrorKind::invalid for everything else.
Result<Address> parse_address(const std::string& text);

}  // namespace usbloop::net
