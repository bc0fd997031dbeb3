#include "client/cluster_flags.h"

#include "client/duration.h"
#include "client/object_names.h"

namespace usbloop::client {

ClusterFlags::ClusterFlags(CLI::App& app, Options& options) : app_(app), options_(options) {
  constexpr const char* kGroup = "Cluster, as kubectl";
  auto& over = options.overrides;
  const auto add = [&](const char* name, std::string& value, const char* help, const char* type) {
    app.add_option(name, value, help)->type_name(type)->group(kGroup);
  };
  add("--kubeconfig", options.kubeconfig, "Kubeconfig file [KUBECONFIG, ~/.kube/config]", "FILE");
  add("--context", options.context, "Context of the kubeconfig [its current-context]", "NAME");
  add("-n,--namespace", options.name_space, "Namespace of the VMI [the context's, else default]", "NAME");
  add("--cluster", over.cluster, "Cluster of the kubeconfig [the context's]", "NAME");
  add("--user", over.user, "User of the kubeconfig [the context's]", "NAME");
  add("-s,--server", over.server, "Address of the API server", "URL");
  add("--tls-server-name", over.tls_server_name, "Name in the server's certificate [its host]", "NAME");
  add("--certificate-authority", over.certificate_authority, "Certificates that vouch for the server", "FILE");
  app.add_flag("--insecure-skip-tls-verify", over.insecure_skip_tls_verify, "Take any certificate of the server")
      ->group(kGroup);
  add("--token", over.token, "Bearer token", "TEXT");
  add("--client-certificate", over.client_certificate, "Certificate that logs in", "FILE");
  add("--client-key", over.client_key, "Key of --client-certificate", "FILE");
  add("--as", over.as, "Act as this user, if you may", "NAME");
  add("--as-uid", over.as_uid, "With --as: this uid", "TEXT");
  app.add_option("--as-group", over.as_groups, "With --as: in this group; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group(kGroup);
  add("--request-timeout", request_timeout_, "Longest wait for the server's answer, for example 5s [15s]; 0: the same",
      "TIME");
}

Result<> ClusterFlags::finish() {
  for (const char* flag :
       {"--kubeconfig", "--context", "--namespace", "--cluster", "--user", "--server", "--token", "--tls-server-name",
        "--certificate-authority", "--client-certificate", "--client-key", "--as", "--as-uid"}) {
    const auto* option = app_.get_option(flag);
    if (option->count() == 0 || !option->as<std::string>().empty()) continue;
    return make_error(ErrorKind::invalid, "use", flag, "it is empty");
  }
  if (!options_.name_space.empty()) {
    if (auto fine = check_namespace(options_.name_space); !fine) return fine;
  }
  if (request_timeout_.empty()) return {};
  const auto timeout = parse_duration(request_timeout_);
  if (!timeout) {
    return make_error(ErrorKind::invalid, "use", "--request-timeout", "\"" + request_timeout_ + "\" is not a duration",
                      "Write for example 30, 30s or 1m30s.");
  }
  if (timeout->count() > 0) options_.request_timeout = *timeout;
  return {};
}

}  // namespace usbloop::client
