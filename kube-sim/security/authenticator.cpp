#include "kube-sim/security/authenticator.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "common/ascii_text.h"
#include "common/timestamp.h"

namespace usbloop::apiserver {
namespace {

std::string digest(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return {hash.begin(), hash.end()};
}

/// The token of "Bearer TOKEN"; the scheme is matched without regard to case. Empty for other schemes.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  if (!equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  const auto first = authorization.find_first_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : authorization.substr(first);
}

/// Health and version, and what is below them. The authorizer decides whether anybody may really see it.
bool is_open_to_all(std::string_view path) {
  constexpr std::array<std::string_view, 4> kRoots = {"/healthz", "/livez", "/readyz", "/version"};
  return std::any_of(kRoots.begin(), kRoots.end(), [path](std::string_view root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  });
}

User authenticated(User user) {
  user.groups.emplace_back("system:authenticated");
  return user;
}

}  // namespace

Authenticator::Authenticator(const Tokens& tokens, const ServiceAccountTokens* accounts) : accounts_(accounts) {
  for (const auto& [token, user] : tokens) users_[digest(token)] = user;
}

std::optional<User> Authenticator::find(std::string_view token) const {
  if (token.empty()) return std::nullopt;
  if (const auto found = users_.find(digest(token)); found != users_.end()) return found->second;
  return accounts_ == nullptr ? std::nullopt : accounts_->user_of(token, now_seconds());
}

std::optional<User> Authenticator::authenticate(std::string_view authorization, const net::PeerIdentity& certificate,
                                                std::string_view path, const SubprotocolToken& subprotocol) const {
  if (!certificate.common_name.empty()) {
    return authenticated({certificate.common_name, "", certificate.organizations});
  }
  if (auto user = find(bearer_token(authorization))) return authenticated(std::move(*user));
  if (auto user = find(subprotocol.token)) return authenticated(std::move(*user));
  // Wrong ones are worse than none.
  if (!authorization.empty() || subprotocol.present || !is_open_to_all(path)) return std::nullopt;
  return User{"system:anonymous", "", {"system:unauthenticated"}};
}

}  // namespace usbloop::apiserver
