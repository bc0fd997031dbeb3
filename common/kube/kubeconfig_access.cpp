#include "common/kube/kubeconfig_access.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/kube/exec_credential.h"
#include "common/kube/first_error.h"
#include "common/kube/server_url.h"

namespace usbloop::kube {

namespace {

constexpr std::size_t kMaxTokenBytes = 64 * 1024;
constexpr std::size_t kMaxFlagPemBytes = 1024 * 1024;

/// A token goes into a request head, so it must not end the line there.
bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < ' ' || byte == 0x7f;
  });
}

auto wrong_flag(const char* flag, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, "use", flag, std::move(cause), std::move(hint));
}

Result<std::string> read_pem(const char* flag, const std::string& path) {
  auto pem = read_bounded(path, kMaxFlagPemBytes, "read");
  if (pem && pem->find("-----BEGIN ") == std::string::npos) return wrong_flag(flag, path + " has no PEM block");
  return pem;
}

/// As kubectl: each of the two stands in place of the kubeconfig's own.
Result<> override_certificate(const AccessOverrides& flags, ClusterAccess& access) {
  if (!flags.client_certificate.empty()) {
    auto pem = read_pem("--client-certificate", flags.client_certificate);
    if (!pem) return tl::unexpected(pem.error());
    access.client_cert_pem = std::move(*pem);
  }
  if (!flags.client_key.empty()) {
    auto pem = read_pem("--client-key", flags.client_key);
    if (!pem) return tl::unexpected(pem.error());
    access.client_key_pem = std::move(*pem);
  }
  const bool has_flag = !flags.client_certificate.empty() || !flags.client_key.empty();
  if (!has_flag || access.client_cert_pem.empty() == access.client_key_pem.empty()) return {};
  return access.client_key_pem.empty() ? wrong_flag("--client-certificate", "it needs --client-key")
                                       : wrong_flag("--client-key", "it needs --client-certificate");
}

/// As kubectl: a CA file puts an end to --insecure-skip-tls-verify of the kubeconfig and the other way round, and a
/// server of the command line has not the kubeconfig's other name.
Result<> override_tls(const AccessOverrides& flags, ClusterAccess& access) {
  if (!flags.certificate_authority.empty()) {
    if (flags.insecure_skip_tls_verify) {
      return wrong_flag("--insecure-skip-tls-verify", "it contradicts --certificate-authority");
    }
    auto pem = read_pem("--certificate-authority", flags.certificate_authority);
    if (!pem) return tl::unexpected(pem.error());
    access.ca_pem = std::move(*pem);
    access.insecure_skip_tls_verify = false;
  }
  if (flags.insecure_skip_tls_verify) {
    access.ca_pem.clear();
    access.insecure_skip_tls_verify = true;
  }
  if (!flags.server.empty() || !flags.tls_server_name.empty()) access.tls_server_name = flags.tls_server_name;
  return {};
}

Result<> read_token(const Section& user, ClusterAccess& access) {
  FirstError fields;
  access.token = fields.take(user.text("token"));
  const auto path = fields.take(user.text("tokenFile"));
  if (auto fine = fields.result(); !fine) return fine;
  if (!path.empty()) {
    const auto content = read_bounded(user.resolve(path), kMaxTokenBytes, "read");
    if (!content && access.token.empty()) return user.error("tokenFile", content.error().message());
    if (content) {
      const auto first = content->find_first_not_of(" \t\r\n");
      const auto last = content->find_last_not_of(" \t\r\n");
      if (first == std::string::npos) return user.error("tokenFile", user.resolve(path) + " is empty");
      access.token = content->substr(first, last - first + 1);
    }
  }
  if (!is_header_value(access.token)) return user.error("token", "has a control character or a line break");
  return {};
}

Result<> refuse_unsupported(const Section& user) {
  if (user.has("auth-provider")) {
    return user.error("auth-provider", "this way to log in was removed from Kubernetes 1.26 and is not supported",
                      "Use an exec credential plugin, a token or a client certificate.");
  }
  if (user.has("as-user-extra")) return user.error("as-user-extra", "extra fields of a user are not supported");
  return {};
}

Result<> read_impersonation(const Section& user, ClusterAccess& access) {
  FirstError fields;
  access.impersonate_user = fields.take(user.text("as"));
  access.impersonate_uid = fields.take(user.text("as-uid"));
  const auto groups = fields.take(user.list("as-groups"));
  if (auto fine = fields.result(); !fine) return fine;
  for (const auto& group : groups) {
    if (!group.IsScalar()) return user.error("as-groups", "is not a list of names");
    access.impersonate_groups.push_back(group.Scalar());
  }
  for (const auto& [header, value] : access.impersonation()) {
    if (!is_header_value(value)) return user.error("as", "has a control character or a line break");
  }
  if (access.impersonate_user.empty() && !access.impersonation().empty()) {
    return user.error("as", "is missing, but there is as-uid or as-groups");
  }
  return {};
}

Result<> read_user_entry(const Section& user, const AccessOverrides& flags, ClusterAccess& access) {
  if (auto fine = refuse_unsupported(user); !fine) return fine;
  FirstError fields;
  access.client_cert_pem = fields.take(user.pem("client-certificate"));
  access.client_key_pem = fields.take(user.pem("client-key"));
  access.username = fields.take(user.text("username"));
  access.password = fields.take(user.text("password"));
  if (auto fine = fields.result(); !fine) return fine;
  if (auto fine = read_impersonation(user, access); !fine) return fine;
  const bool has_token_flag = !flags.token.empty();
  if (has_token_flag) {
    // It stands for every other way to be this user but the certificate, as for kubectl.
    access.username.clear();
    access.password.clear();
  } else if (auto token = read_token(user, access); !token) {
    return token;
  }
  const bool has_certificate_flag = !flags.client_certificate.empty() || !flags.client_key.empty();
  if (!has_certificate_flag && access.client_cert_pem.empty() != access.client_key_pem.empty()) {
    const bool has_key = access.client_cert_pem.empty();
    return user.error(
        has_key ? "client-certificate" : "client-key",
        has_key ? "is missing, but there is a client-key" : "is missing, but there is a client-certificate");
  }
  if (!access.token.empty() && !access.username.empty()) {
    return user.error("token", "contradicts username and password", "Remove one of the two.");
  }
  if (has_token_flag || !user.has("exec")) return {};
  if (!access.token.empty() || !access.username.empty()) {
    return user.error("exec", "contradicts token or username", "Remove one of the two.");
  }
  const auto exec = user.section("exec");
  return exec ? apply_exec_credential(*exec, access) : tl::unexpected(exec.error());
}

}  // namespace

Result<> read_cluster(const Section& cluster, const AccessOverrides& flags, ClusterAccess& access) {
  FirstError fields;
  auto server = fields.take(cluster.text("server"));
  const auto proxy = fields.take(cluster.text("proxy-url"));
  access.ca_pem = fields.take(cluster.pem("certificate-authority"));
  access.insecure_skip_tls_verify = fields.take(cluster.flag("insecure-skip-tls-verify"));
  access.tls_server_name = fields.take(cluster.text("tls-server-name"));
  if (auto fine = fields.result(); !fine) return fine;
  if (auto fine = override_tls(flags, access); !fine) return fine;
  if (!flags.server.empty()) server = flags.server;
  if (server.empty()) return cluster.error("server", "is missing", "It looks like https://127.0.0.1:6443.");
  if (!proxy.empty()) {
    auto parsed = parse_proxy_url(proxy);
    if (!parsed) return cluster.error("proxy-url", parsed.error().cause, parsed.error().hint);
    access.proxy = std::move(*parsed);
  }
  if (access.insecure_skip_tls_verify && !access.ca_pem.empty()) {
    return cluster.error("insecure-skip-tls-verify", "contradicts certificate-authority", "Remove one of the two.");
  }
  auto url = parse_server_url(server);
  if (!url && !flags.server.empty()) return wrong_flag("--server", url.error().cause, url.error().hint);
  if (!url) return cluster.error("server", url.error().cause, url.error().hint);
  access.tls = url->tls;
  access.host = std::move(url->host);
  access.port = url->port;
  access.path_prefix = std::move(url->path_prefix);
  return {};
}

Result<> read_user_flags(const AccessOverrides& flags, ClusterAccess& access) {
  if (auto fine = override_certificate(flags, access); !fine) return fine;
  if (!flags.token.empty()) access.token = flags.token;
  if (!is_header_value(access.token)) return wrong_flag("--token", "it has a control character or a line break");
  if (!flags.as.empty()) access.impersonate_user = flags.as;
  if (!flags.as_uid.empty()) access.impersonate_uid = flags.as_uid;
  if (!flags.as_groups.empty()) access.impersonate_groups = flags.as_groups;
  for (const auto& [header, value] : access.impersonation()) {
    if (!is_header_value(value)) return wrong_flag("--as", "it has a control character or a line break");
  }
  if (access.impersonate_user.empty() && !access.impersonation().empty()) {
    return wrong_flag("--as-group", "it needs --as");
  }
  return {};
}

Result<> read_user(const Section& user, const AccessOverrides& flags, ClusterAccess& access) {
  if (auto fine = read_user_entry(user, flags, access); !fine) return fine;
  return read_user_flags(flags, access);
}

}  // namespace usbloop::kube
