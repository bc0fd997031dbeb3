#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/net/tls.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/security/subprotocol_token.h"
#include "kube-sim/security/token_file.h"

namespace usbloop::apiserver {

/// Tells who sends a request. The first valid one of these counts: the client certificate that TLS has verified (CN is
/// the user, each O a group), the bearer token in the header, the one in a websocket's subprotocol. Immutable,
/// thread-safe.
class Authenticator {
 public:
  explicit Authenticator(const Tokens& tokens);

  /// `authorization` is the header, and may be empty. Nothing when the credentials are wrong. A request without
  /// credentials is system:anonymous on the paths of health and version, and nothing on all others.
  [[nodiscard]] std::optional<User> authenticate(std::string_view authorization, const net::PeerIdentity& certificate,
                                                 std::string_view path, const SubprotocolToken& subprotocol = {}) const;

 private:
  /// Null when nobody has that token.
  [[nodiscard]] const User* find(std::string_view token) const;

  /// Keyed by the SHA-256 of the token, so that the time a search takes tells nothing about a token.
  std::unordered_map<std::string, User> users_;
};

}  // namespace usbloop::apiserver
