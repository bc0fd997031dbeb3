#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"

namespace usbloop::kube {

/// One cluster and one user, as a context of a kubeconfig file names them. Certificates and keys are PEM text (files
/// and base64 data are already read). Value type; holds secrets, so it must never be logged.
/// Source: kubernetes.io/docs/reference/config-api/kubeconfig.v1
struct ClusterAccess {
  std::string context;  ///< name of the context that was used
  std::string host;     ///< name or address, without brackets
  std::uint16_t port = 443;
  bool tls = true;          ///< false for an http:// server (no credentials are sent then, as kubectl does)
  std::string path_prefix;  ///< "" or "/prefix", without a slash at the end
  std::string ca_pem;       ///< empty: the system's certificate authorities
  bool insecure_skip_tls_verify = false;
  std::string tls_server_name;  ///< empty: `host`
  std::string client_cert_pem;
  std::string client_key_pem;
  std::string token;
  std::string username;
  std::string password;
  std::string default_namespace = "default";

  /// "https://host:port/prefix"; IPv6 addresses in brackets. Contains no secret.
  [[nodiscard]] std::string url() const;
  /// Value for the Authorization header, or nothing when there is no token or password, or no TLS.
  [[nodiscard]] std::optional<std::string> authorization() const;
};

/// The files to read: `flag` when given, else the list in KUBECONFIG, else ~/.kube/config.
std::vector<std::string> kubeconfig_paths(const std::string& flag);

/// Reads and merges the files as kubectl does (first mention wins; missing files in a list are skipped) and resolves
/// `context` (empty: current-context). Errors name the file and the field.
Result<ClusterAccess> load_kubeconfig(const std::vector<std::string>& paths, const std::string& context);

}  // namespace usbloop::kube
