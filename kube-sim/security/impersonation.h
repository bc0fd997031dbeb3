#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/http/head.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/security/authorizer.h"

// The headers Impersonate-User, -Group, -Uid and -Extra-KEY: acting as somebody else, for those who may.
namespace usbloop::apiserver {

/// What a request wants to be.
struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  [[nodiscard]] bool wanted() const { return !user.empty() || !uid.empty() || !groups.empty() || !extra.empty(); }
};

/// Reads the headers of a request's head. Each line of a repeated header is one value: names may contain commas.
Impersonation read_impersonation(const http::Head& head);

/// The user that the request acts as: `user` when the headers want nothing. 403 when the user may not be somebody that
/// is wanted (verb `impersonate` on users, groups, serviceaccounts, uids, userextras/KEY), 500 when the headers name
/// groups but no user, in the words of kube-apiserver.
tl::expected<User, kube::Status> impersonate(const User& user, const Impersonation& wanted,
                                             const Authorizer& authorizer);

}  // namespace usbloop::apiserver
