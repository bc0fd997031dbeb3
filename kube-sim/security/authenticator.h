#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/net/tls.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/security/service_account_tokens.h"
#include "kube-sim/security/subprotocol_token.h"
#include "kube-sim/security/token_file.h"

namespace usbloop::apiserver {

/// Tells who sends a request: by the client certificate that TLS has verified (CN is the user, O the groups), else by
/// a bearer token, of the header or of a websocket's subprotocol: one of the token file, or a service
/// account's. The first that is right counts. Immutable, thread-safe.
class Authenticator {
 public:
  /// `accounts`, which must outlive this object, may be null: then there are no tokens of service accounts.
  explicit Authenticator(const Tokens& tokens, const ServiceAccountTokens* accounts = nullptr);

  /// `authorization` is the header, and may be empty. Nothing when the credentials are wrong. A request without
  /// credentials is system:anonymous on the paths of health and version, and nothing on all others.
  [[nodiscard]] std::optional<User> authenticate(std::string_view authorization, const net::PeerIdentity& certificate,
                                                 std::string_view path, const SubprotocolToken& subprotocol = {}) const;

 private:
  /// Nothing when nobody has that token.
  [[nodiscard]] std::optional<User> find(std::string_view token) const;

  /// Keyed by the SHA-256 of the token, so that the time a search takes tells nothing about a token.
  std::unordered_map<std::string, User> users_;
  const ServiceAccountTokens* accounts_;
};

}  // namespace usbloop::apiserver
