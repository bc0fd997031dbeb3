#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/kube/proxy.h"

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
  Proxy proxy;                  ///< `proxy-url`; none: straight to the server
  std::string client_cert_pem;
  std::string client_key_pem;
  std::string token;
  std::string username;
  std::string password;
  std::string impersonate_user;  ///< `as`: whose rights are used; the server asks whether this user may
  std::string impersonate_uid;
  std::vector<std::string> impersonate_groups;
  std::string default_namespace = "default";

  /// "https://host:port/prefix"; IPv6 addresses in brackets. Contains no secret.
  [[nodiscard]] std::string url() const;
  /// Value for the Authorization header, or nothing when there is no token or password, or no TLS.
  [[nodiscard]] std::optional<std::string> authorization() const;
  /// The Impersonate- headers, in order (wire.md section 1).
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> impersonation() const;
};

/// What the command line says over the kubeconfig, named as kubectl's flags; empty: nothing.
struct AccessOverrides {
  std::string cluster = {};  ///< name of an entry
  std::string user = {};     ///< name of an entry
  std::string server = {};
  std::string tls_server_name = {};
  std::string certificate_authority = {};  ///< a file
  bool insecure_skip_tls_verify = false;
  std::string token = {};
  std::string client_certificate = {};  ///< a file
  std::string client_key = {};          ///< a file
  std::string as = {};
  std::string as_uid = {};
  std::vector<std::string> as_groups = {};
};

/// The files to read: `flag` when given, else the list in KUBECONFIG, else ~/.kube/config.
std::vector<std::string> kubeconfig_paths(const std::string& flag);

/// The names of what the files list under `contexts`, `clusters` or `users`, each once.
Result<std::vector<std::string>> kubeconfig_names(const std::vector<std::string>& paths, const char* list);

/// Reads and merges the files as kubectl does (first mention wins; missing files in a list are skipped) and resolves
/// `context` (empty: current-context). With a server among the overrides there need be no file. Errors name the file
/// and the field, or the flag.
Result<ClusterAccess> load_kubeconfig(const std::vector<std::string>& paths, const std::string& context,
                                      const AccessOverrides& overrides = {});

}  // namespace usbloop::kube
