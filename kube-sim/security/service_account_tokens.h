#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

/// For whom a token is good that this server takes: itself.
inline constexpr const char* kApiAudience = "https://kubernetes.default.svc.cluster.local";

/// Makes and checks the tokens of service accounts: signed JSON web tokens (RFC 7519, HS256) with the claims of
/// Kubernetes' own. A token is good until it expires or its account is gone. Immutable, thread-safe. Holds a secret.
class ServiceAccountTokens {
 public:
  /// `key`: at least 32 bytes. The store must outlive this object.
  ServiceAccountTokens(std::string key, const Store& store) : key_(std::move(key)), store_(store) {}

  struct Account {
    std::string namespace_;
    std::string name;
    std::string uid;
  };
  /// Times are seconds since 1970.
  [[nodiscard]] std::string issue(const Account& account, const std::vector<std::string>& audiences, std::int64_t now,
                                  std::int64_t expires) const;
  /// Whose the token is: system:serviceaccount:NAMESPACE:NAME. Nothing for anything else than a good token.
  [[nodiscard]] std::optional<User> user_of(std::string_view token, std::int64_t now) const;

 private:
  [[nodiscard]] std::string signature_of(std::string_view text) const;

  std::string key_;
  const Store& store_;
};

/// The key in that file, which is made if there is none.
Result<std::string> load_or_make_token_key(const std::string& path);

}  // namespace usbloop::apiserver
