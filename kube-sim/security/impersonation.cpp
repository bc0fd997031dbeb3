#include "kube-sim/security/impersonation.h"

#include <string_view>

#include "common/ascii_text.h"
#include "common/percent_text.h"

namespace usbloop::apiserver {
namespace {

constexpr std::string_view kServiceAccountPrefix = "system:serviceaccount:";
constexpr const char* kAuthenticated = "system:authenticated";
constexpr const char* kUnauthenticated = "system:unauthenticated";

/// Keys are percent-encoded, as header names take few characters; a broken encoding is taken as it stands.
std::string decoded_key(const std::string& key) { return percent_decoded(key).value_or(key); }

void take_header(const std::string& name, std::string_view value, Impersonation& wanted) {
  constexpr std::string_view kExtra = "impersonate-extra-";
  if (name == "impersonate-user") {
    if (wanted.user.empty()) wanted.user = value;
  } else if (name == "impersonate-uid") {
    if (wanted.uid.empty()) wanted.uid = value;
  } else if (name == "impersonate-group") {
    wanted.groups.emplace_back(value);
  } else if (name.starts_with(kExtra)) {
    wanted.extra[decoded_key(name.substr(kExtra.size()))].emplace_back(value);
  }
}

/// Namespace and name of "system:serviceaccount:NAMESPACE:NAME".
std::optional<std::pair<std::string, std::string>> service_account(std::string_view user) {
  if (!user.starts_with(kServiceAccountPrefix)) return std::nullopt;
  user.remove_prefix(kServiceAccountPrefix.size());
  const auto colon = user.find(':');
  if (colon == std::string_view::npos || user.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  std::pair account(std::string(user.substr(0, colon)), std::string(user.substr(colon + 1)));
  if (account.first.empty() || account.second.empty()) return std::nullopt;
  return account;
}

Attributes to_impersonate(const char* group, const char* resource, const std::string& subresource,
                          const std::string& namespace_, const std::string& name) {
  return {true, "impersonate", "", group, resource, subresource, namespace_, name};
}

/// One question for each thing that the request wants to be.
std::vector<Attributes> questions(const Impersonation& wanted) {
  constexpr const char* kGroup = "authentication.k8s.io";
  std::vector<Attributes> all;
  if (const auto account = service_account(wanted.user)) {
    all.push_back(to_impersonate("", "serviceaccounts", "", account->first, account->second));
  } else {
    all.push_back(to_impersonate("", "users", "", "", wanted.user));
  }
  for (const std::string& group : wanted.groups) all.push_back(to_impersonate("", "groups", "", "", group));
  for (const auto& [key, values] : wanted.extra) {
    for (const std::string& value : values) all.push_back(to_impersonate(kGroup, "userextras", key, "", value));
  }
  if (!wanted.uid.empty()) all.push_back(to_impersonate(kGroup, "uids", "", "", wanted.uid));
  return all;
}

/// The groups that come of themselves.
void add_implied_groups(User& user, bool groups_given) {
  const auto account = service_account(user.name);
  if (account && !groups_given) {
    user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + account->first};
  }
  if (user.name == "system:anonymous") {
    if (!user.in_group(kUnauthenticated)) user.groups.emplace_back(kUnauthenticated);
  } else if (!user.in_group(kAuthenticated) && !user.in_group(kUnauthenticated)) {
    user.groups.emplace_back(kAuthenticated);
  }
}

}  // namespace

Impersonation read_impersonation(const http::Head& head) {
  Impersonation wanted;
  for (const auto& [name, value] : head.headers) take_header(lower_case(name), value, wanted);
  return wanted;
}

tl::expected<User, kube::Status> impersonate(const User& user, const Impersonation& wanted,
                                             const Authorizer& authorizer) {
  if (!wanted.wanted()) return user;
  if (wanted.user.empty()) {
    kube::Status status = kube::internal_error("requested groups, a uid or extra without impersonating a user");
    return tl::unexpected(std::move(status));
  }
  for (const Attributes& question : questions(wanted)) {
    const Decision decision = authorizer.authorize(user, question);
    if (!decision.allowed) return tl::unexpected(forbidden_status(user, question, decision.reason));
  }
  User acting{wanted.user, wanted.uid, wanted.groups, wanted.extra};
  add_implied_groups(acting, !wanted.groups.empty());
  return acting;
}

}  // namespace usbloop::apiserver
