#pragma once

#include <map>
#include <string>

#include "apiserver-sim/api/http_types.h"
#include "common/error.h"

namespace usbloop::apiserver {

/// Bearer tokens and whose they are. Holds secrets.
using Tokens = std::map<std::string, User>;

/// Kubernetes' static token file: lines of `token,user,uid,"group1,group2"`, the groups optional. Errors name the line.
Result<Tokens> parse_token_file(const std::string& path, const std::string& text);

/// The lines of a new token file for the admin and the node, with fresh random tokens of 256 bits.
std::string new_token_file(const std::string& node_user);

}  // namespace usbloop::apiserver
