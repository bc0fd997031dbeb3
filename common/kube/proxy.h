#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace usbloop::kube {

/// A proxy between us and an API server. Holds a secret, so it must never be logged; url() may.
struct Proxy {
  enum class Kind {
    none,
    http,   ///< asked to CONNECT (RFC 9110 section 9.3.6)
    socks5  ///< RFC 1928; the proxy looks the server's name up
  };
  Kind kind = Kind::none;
  std::string host;
  std::uint16_t port = 0;
  std::string username;
  std::string password;
  bool tls = false;  ///< http: the proxy itself speaks TLS (https://), and is trusted as the API server is

  explicit operator bool() const { return kind != Kind::none; }
  /// `https://host:3128`, without the user.
  [[nodiscard]] std::string url() const;
};

/// Reads `http://[USER:PASSWORD@]HOST[:PORT]` (port 80), `https://…` (port 443), `socks5://…` and `socks5h://…` (port
/// 1080). The error's cause says what is wrong and shows no password; operation and object are the caller's.
Result<Proxy> parse_proxy_url(const std::string& text);

/// Whether NO_PROXY's list names the host: `*`, a name (its subdomains too), `.name` (its subdomains alone), an
/// address, a network as ADDRESS/BITS; a name or an IPv4 address with :PORT, if that one is meant alone.
bool bypasses_proxy(std::string_view list, const std::string& host, std::uint16_t port);

/// The proxy that HTTPS_PROXY or HTTP_PROXY (for a server without TLS) and NO_PROXY name, also in small letters. As for
/// kubectl, this machine itself is never asked for through a proxy. Errors name the variable.
Result<Proxy> proxy_of_environment(bool tls, const std::string& host, std::uint16_t port);

}  // namespace usbloop::kube
