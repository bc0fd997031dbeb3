#include "common/kube/kubeconfig.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "common/kube/encoding.h"
#include "common/kube/exec_credential.h"
#include "common/kube/kubeconfig_file.h"
#include "common/kube/server_url.h"

namespace usbloop::kube {

namespace {

constexpr std::size_t kMaxTokenBytes = 64 * 1024;
constexpr std::size_t kNamesShown = 10;

#ifdef _WIN32
constexpr char kListSeparator = ';';
constexpr const char* kHomeVariable = "USERPROFILE";
#else
constexpr char kListSeparator = ':';
constexpr const char* kHomeVariable = "HOME";
#endif

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// One of the three kinds of named entries: `contexts` holds entries with `name` and `context`.
struct Kind {
  const char* list;
  const char* body;
};
constexpr Kind kContext{"contexts", "context"};
constexpr Kind kCluster{"clusters", "cluster"};
constexpr Kind kUser{"users", "user"};

using Files = std::vector<KubeconfigFile>;

/// Calls `visit` with the name and the body of each entry of the kind, in the order in which the first mention wins,
/// until it returns true.
Result<> each_entry(const Files& files, const Kind& kind,
                    const std::function<bool(const std::string& name, const Section& body)>& visit) {
  for (const auto& file : files) {
    const Section root(file.path, "", file.root);
    const auto entries = root.list(kind.list);
    if (!entries) return tl::unexpected(entries.error());
    for (std::size_t index = 0; index < entries->size(); ++index) {
      const std::string where = std::string(kind.list) + "[" + std::to_string(index) + "]";
      const Section entry(file.path, where, (*entries)[index]);
      const auto name = entry.text("name");
      if (!name) return tl::unexpected(name.error());
      const auto body = entry.section(kind.body);
      if (!body) return tl::unexpected(body.error());
      if (visit(*name, *body)) return {};
    }
  }
  return {};
}

Result<std::optional<Section>> find_entry(const Files& files, const Kind& kind, const std::string& wanted) {
  std::vector<Section> found;
  const auto done = each_entry(files, kind, [&](const std::string& name, const Section& body) {
    if (name != wanted) return false;
    found.push_back(body);
    return true;
  });
  if (!done) return tl::unexpected(done.error());
  return found.empty() ? std::optional<Section>() : std::optional<Section>(found.front());
}

std::string names_hint(const Files& files, const Kind& kind) {
  std::string text;
  std::size_t count = 0;
  const auto done = each_entry(files, kind, [&](const std::string& name, const Section&) {
    if (count++ < kNamesShown) text += (text.empty() ? "" : ", ") + name;
    return false;
  });
  if (!done) return {};
  const std::string what(kind.list);
  if (text.empty()) return "The kubeconfig has no " + what + ".";
  if (count > kNamesShown) text += " and " + std::to_string(count - kNamesShown) + " more";
  return "The " + what + " there are: " + text + ".";
}

std::string paths_text(const std::vector<std::string>& paths) {
  std::string text;
  for (const auto& path : paths) text += (text.empty() ? "" : ", ") + path;
  return text;
}

Result<Files> read_files(const std::vector<std::string>& paths) {
  Files files;
  for (const auto& path : paths) {
    auto file = read_kubeconfig_file(path);
    if (file) {
      files.push_back(std::move(*file));
    } else if (file.error().kind != ErrorKind::not_found) {
      return tl::unexpected(file.error());
    }
  }
  if (files.empty()) {
    return make_error(ErrorKind::not_found, "read kubeconfig", paths_text(paths), "no such file",
                      "Give the file with --kubeconfig FILE or in the variable KUBECONFIG.");
  }
  return files;
}

Result<std::string> choose_context(const Files& files, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  for (const auto& file : files) {
    auto current = Section(file.path, "", file.root).text("current-context");
    if (!current || !current->empty()) return current;
  }
  return make_error(ErrorKind::invalid, "use kubeconfig", files.front().path, "current-context is not set",
                    "Choose one with --context. " + names_hint(files, kContext));
}

Result<Section> require_entry(const Files& files, const Kind& kind, const std::string& name, const Section& context) {
  const auto found = find_entry(files, kind, name);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return context.error(kind.body, "\"" + name + "\" is not defined", names_hint(files, kind));
  return **found;
}

/// Takes the values of several fields and keeps the first error among them.
class FirstError {
 public:
  template <typename T>
  T take(Result<T> result) {
    if (result) return std::move(*result);
    if (!error_) error_ = std::move(result.error());
    return T();
  }
  [[nodiscard]] Result<> result() const { return error_ ? Result<>(tl::unexpected(*error_)) : Result<>(); }

 private:
  std::optional<Error> error_;
};

Result<> read_cluster(const Section& cluster, ClusterAccess& access) {
  FirstError fields;
  const auto server = fields.take(cluster.text("server"));
  const auto proxy = fields.take(cluster.text("proxy-url"));
  access.ca_pem = fields.take(cluster.pem("certificate-authority"));
  access.insecure_skip_tls_verify = fields.take(cluster.flag("insecure-skip-tls-verify"));
  access.tls_server_name = fields.take(cluster.text("tls-server-name"));
  if (auto fine = fields.result(); !fine) return fine;
  if (server.empty()) return cluster.error("server", "is missing", "It looks like https://127.0.0.1:6443.");
  if (!proxy.empty()) {
    return cluster.error("proxy-url", "connections through a proxy are not supported",
                         "Use a server URL that can be reached directly.");
  }
  if (access.insecure_skip_tls_verify && !access.ca_pem.empty()) {
    return cluster.error("insecure-skip-tls-verify", "contradicts certificate-authority", "Remove one of the two.");
  }
  auto url = parse_server_url(server);
  if (!url) return cluster.error("server", url.error().cause, url.error().hint);
  access.tls = url->tls;
  access.host = std::move(url->host);
  access.port = url->port;
  access.path_prefix = std::move(url->path_prefix);
  return {};
}

/// A token goes into a request head, so it must not end the line there.
bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < ' ' || byte == 0x7f;
  });
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
  for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (user.has(key)) return user.error(key, "impersonation is not supported");
  }
  return {};
}

Result<> read_user(const Section& user, ClusterAccess& access) {
  if (auto fine = refuse_unsupported(user); !fine) return fine;
  FirstError fields;
  access.client_cert_pem = fields.take(user.pem("client-certificate"));
  access.client_key_pem = fields.take(user.pem("client-key"));
  access.username = fields.take(user.text("username"));
  access.password = fields.take(user.text("password"));
  if (auto fine = fields.result(); !fine) return fine;
  if (auto token = read_token(user, access); !token) return token;
  if (access.client_cert_pem.empty() != access.client_key_pem.empty()) {
    const bool has_key = access.client_cert_pem.empty();
    return user.error(
        has_key ? "client-certificate" : "client-key",
        has_key ? "is missing, but there is a client-key" : "is missing, but there is a client-certificate");
  }
  if (!access.token.empty() && !access.username.empty()) {
    return user.error("token", "contradicts username and password", "Remove one of the two.");
  }
  if (!user.has("exec")) return {};
  if (!access.token.empty() || !access.username.empty()) {
    return user.error("exec", "contradicts token or username", "Remove one of the two.");
  }
  const auto exec = user.section("exec");
  return exec ? apply_exec_credential(*exec, access) : tl::unexpected(exec.error());
}

}  // namespace

std::string ClusterAccess::url() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return std::string(tls ? "https://" : "http://") + (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port) +
         path_prefix;
}

std::optional<std::string> ClusterAccess::authorization() const {
  if (!tls) return std::nullopt;
  if (!token.empty()) return "Bearer " + token;
  if (!username.empty()) return "Basic " + base64_encode(username + ":" + password);
  return std::nullopt;
}

std::vector<std::string> kubeconfig_paths(const std::string& flag) {
  if (!flag.empty()) return {flag};
  std::vector<std::string> paths;
  const std::string list = environment("KUBECONFIG");
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(kListSeparator, begin), list.size());
    const auto path = list.substr(begin, end - begin);
    if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    begin = end + 1;
  }
  if (paths.empty()) paths.push_back(environment(kHomeVariable) + "/.kube/config");
  return paths;
}

Result<ClusterAccess> load_kubeconfig(const std::vector<std::string>& paths, const std::string& context) {
  try {
    const auto files = read_files(paths);
    if (!files) return tl::unexpected(files.error());
    const auto name = choose_context(*files, context);
    if (!name) return tl::unexpected(name.error());
    const auto found = find_entry(*files, kContext, *name);
    if (!found) return tl::unexpected(found.error());
    if (!*found) {
      return make_error(ErrorKind::not_found, "use kubeconfig", paths_text(paths),
                        "there is no context \"" + *name + "\"", names_hint(*files, kContext));
    }
    const Section& section = **found;
    ClusterAccess access;
    access.context = *name;
    FirstError fields;
    const auto cluster_name = fields.take(section.text("cluster"));
    const auto user_name = fields.take(section.text("user"));
    const auto namespace_name = fields.take(section.text("namespace"));
    if (auto fine = fields.result(); !fine) return tl::unexpected(fine.error());
    if (!namespace_name.empty()) access.default_namespace = namespace_name;
    if (cluster_name.empty()) return section.error("cluster", "is missing", names_hint(*files, kCluster));
    const auto cluster = require_entry(*files, kCluster, cluster_name, section);
    if (!cluster) return tl::unexpected(cluster.error());
    if (auto read = read_cluster(*cluster, access); !read) return tl::unexpected(read.error());
    if (user_name.empty()) return access;
    const auto user = require_entry(*files, kUser, user_name, section);
    if (!user) return tl::unexpected(user.error());
    if (auto read = read_user(*user, access); !read) return tl::unexpected(read.error());
    return access;
  } catch (const std::exception& exception) {  // yaml-cpp and the standard library
    return make_error(ErrorKind::invalid, "use kubeconfig", paths_text(paths), exception.what());
  }
}

}  // namespace usbloop::kube
