#pragma once

#include <string>

namespace usbloop::apiserver {

/// The text of a kubeconfig with one cluster, one user with a token and one context.
std::string kubeconfig_text(const std::string& server_url, const std::string& ca_pem, const std::string& user,
                            const std::string& token);

}  // namespace usbloop::apiserver
