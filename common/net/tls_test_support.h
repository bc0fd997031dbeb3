#pragma once

#include "common/net/test_certificate.h"
#include "common/net/tls.h"

// For tests only.
namespace usbloop::net::test {

inline TlsContext server_context(const std::string& client_ca = {}) {
  return TlsContext::server(localhost().certificate, localhost().key, client_ca).value();
}

}  // namespace usbloop::net::test
