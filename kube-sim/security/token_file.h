#pragma once

#include <map>
#include <string>

#include "common/error.h"
#include "kube-sim/request/http_types.h"

namespace usbloop::apiserver {

/// Bearer tokens and whose they are. Holds secrets.
using Tokens = std::map<std::string, User>;

/// The groups of the users beside admin and node in a new token file: the bootstrap policy binds them to the
/// ClusterRoles edit and view.
inline constexpr const char* kEditorsGroup = "usbloop:editors";
inline constexpr const char* kViewersGroup = "usbloop:viewers";

/// Kubernetes' static token file: lines of `token,user,uid,"group1,group2"`, the groups optional. Errors name the line.
Result<Tokens> parse_token_file(const std::string& path, const std::string& text);

/// Adds tokens to others. An error when one of them is there already: it would be another user's.
Result<> add_tokens(const std::string& path, const Tokens& more, Tokens& tokens);

/// The lines of a new token file for the admin, the node, somebody who may edit and somebody who may view, with fresh
/// random tokens of 256 bits.
std::string new_token_file(const std::string& node_user);

}  // namespace usbloop::apiserver
