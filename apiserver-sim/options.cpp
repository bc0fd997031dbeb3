#include "apiserver-sim/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <utility>

#include "kube-sim/http/cors.h"

namespace usbloop::apiserver {
namespace {

/// "ADDR:PORT", "[ADDR]:PORT" for IPv6.
bool split_listen(const std::string& text, Options& options) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  options.address = text.substr(0, colon);
  if (options.address.size() > 2 && options.address.front() == '[' && options.address.back() == ']') {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(begin, end, options.port);
  return error == std::errc() && at == end && begin != end && !options.address.empty();
}

/// The patterns of all lists; throws CLI::ValidationError for one that the server could not use.
std::vector<std::string> cors_patterns_in(const std::vector<std::string>& lists) {
  std::vector<std::string> patterns;
  for (const std::string& list : lists) {
    for (std::string& pattern : split_cors_patterns(list)) patterns.push_back(std::move(pattern));
  }
  if (const auto cors = Cors::make(patterns); !cors) {
    throw CLI::ValidationError("--cors-allowed-origins", cors.error().message() + ". " + cors.error().hint);
  }
  return patterns;
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv, const std::string& version) {
  Options options;
  std::string listen = "127.0.0.1:0";
  bool verbose = false;
  auto node_grace = options.controllers.node.grace.count();
  auto event_ttl = options.controllers.event_ttl.count();
  CLI::App app("A Kubernetes API server with KubeVirt's objects, for the usbloop.", "apiserver-sim");
  app.set_version_flag("--version", version);
  app.add_option("--data-dir", options.data_dir, "Directory of certificates, tokens and state; made when missing")
      ->required();
  app.add_option("--listen", listen, "Address and port to listen on; port 0: the last one when free, else any")
      ->capture_default_str();
  app.add_option("--san", options.names, "Further DNS name or address for the server certificate; repeatable");
  app.add_option("--kubeconfig", options.kubeconfig,
                 "Where to write the administrator's kubeconfig "
                 "[DATA_DIR/admin.kubeconfig]");
  app.add_option("--node-kubeconfig", options.node_kubeconfig,
                 "Where to write the nodes' kubeconfig "
                 "[DATA_DIR/node.kubeconfig]");
  app.add_option("--node-monitor-grace-period", node_grace, "Seconds of silence after which a node is not ready")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--event-ttl", event_ttl, "Seconds for which events are kept")
      ->check(CLI::Range(1, 7 * 24 * 3600))
      ->capture_default_str();
  app.add_flag("--in-memory", options.in_memory, "Keep no state on disk");
  app.add_flag("--set-aside-unreadable", options.set_aside_unreadable,
               "Start without the stored objects that cannot be read; their text is kept in the table set_aside of "
               "state.db");
  std::int64_t ping = options.ping_interval.count();
  std::int64_t timeout = options.peer_timeout.count();
  app.add_option("--ping-interval", ping, "Seconds between pings to a client whose websocket ends here [10]")
      ->check(CLI::Range(1, 3600));
  app.add_option("--peer-timeout", timeout, "Seconds of silence after which such a client counts as gone [30]")
      ->check(CLI::Range(1, 36000));
  std::int64_t busy_poll = options.busy_poll.count();
  app.add_option("--busy-poll", busy_poll,
                 "Microseconds to look for the next message of a redirection before sleeping, while they come that "
                 "fast; saves latency and costs a processor that nobody else wants, 0 for never [1000]")
      ->check(CLI::Range(0, 100'000));
  app.add_option("--shutdown-grace-period", options.shutdown_grace_seconds,
                 "Seconds that requests and relays get when the server stops; a second signal cuts them at once")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  app.add_option("--token-auth-file", options.token_auth_file,
                 "Further bearer tokens, in lines of token,user,uid,\"group1,group2\"");
  std::vector<std::string> cors_lists;
  app.add_option("--cors-allowed-origins", cors_lists,
                 "Origins whose web pages may read the server's answers: regular expressions, comma separated; "
                 "repeatable. Each has to match the whole host, from '^' or '//' to '$' or ':', as "
                 "'^https://example\\.com(:|$)' does. Without one CORS is off")
      ->allow_extra_args(false);
  app.add_option("--audit-log-path", options.audit_log_path,
                 "Record every request in this file, as JSON lines; \"-\": standard output");
  app.add_option("--audit-log-maxsize", options.audit_log_maxsize,
                 "Megabytes after which the audit log is put aside; 0: never")
      ->capture_default_str();
  app.add_option("--audit-log-maxbackup", options.audit_log_maxbackup,
                 "How many audit logs that were put aside are kept; 0: all")
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")->capture_default_str();
  app.add_flag("-v,--verbose", verbose, "Same as --log-level debug");
  try {
    app.parse(argc, argv);
    options.cors_allowed_origins = cors_patterns_in(cors_lists);
    if (!split_listen(listen, options)) throw CLI::ValidationError("--listen", "expects ADDRESS:PORT");
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : 2};
  }
  options.ping_interval = std::chrono::seconds(ping);
  options.peer_timeout = std::chrono::seconds(timeout);
  options.busy_poll = std::chrono::microseconds(busy_poll);
  if (verbose) options.log_level = "debug";
  options.controllers.node.grace = std::chrono::seconds(node_grace);
  options.controllers.event_ttl = std::chrono::seconds(event_ttl);
  if (options.kubeconfig.empty()) options.kubeconfig = options.data_dir + "/admin.kubeconfig";
  if (options.node_kubeconfig.empty()) options.node_kubeconfig = options.data_dir + "/node.kubeconfig";
  return {std::move(options), 0};
}

}  // namespace usbloop::apiserver
