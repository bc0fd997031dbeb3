#pragma once

#include <string>
#include <vector>

#include "common/error.h"

namespace usbloop::apiserver {

/// The server's certificates and keys as PEM text. Holds secrets.
struct Pki {
  std::string ca_cert;
  std::string ca_key;
  std::string server_cert;
  std::string server_key;
};

/// Reads DIRECTORY/{ca,server}.{crt,key}, or makes what is missing: an own CA (ECDSA P-256, 10 years) and a server
/// certificate for localhost, 127.0.0.1, ::1 and `names` (DNS names or addresses). A server certificate that has
/// expired, that the CA did not sign or that lacks one of the names is made anew; a file that cannot be read as what
/// it should be is an error.
Result<Pki> load_or_make_pki(const std::string& directory, const std::vector<std::string>& names);

}  // namespace usbloop::apiserver
