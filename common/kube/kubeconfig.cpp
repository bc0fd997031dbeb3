#include "common/kube/kubeconfig.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "common/kube/encoding.h"
#include "common/kube/first_error.h"
#include "common/kube/kubeconfig_access.h"
#include "common/kube/kubeconfig_file.h"

namespace usbloop::kube {

namespace {

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

/// Without a kubeconfig, as kubectl with --server.
Result<ClusterAccess> access_by_flags(const AccessOverrides& overrides) {
  ClusterAccess access;
  access.context = "of the command line";
  const Section nothing("the command line", "", YAML::Node(YAML::NodeType::Map));
  if (auto read = read_cluster(nothing, overrides, access); !read) return tl::unexpected(read.error());
  if (auto read = read_user_flags(overrides, access); !read) return tl::unexpected(read.error());
  return access;
}

Result<Section> require_entry(const Files& files, const Kind& kind, const std::string& name, const Section& context) {
  const auto found = find_entry(files, kind, name);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return context.error(kind.body, "\"" + name + "\" is not defined", names_hint(files, kind));
  return **found;
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

std::vector<std::pair<std::string, std::string>> ClusterAccess::impersonation() const {
  std::vector<std::pair<std::string, std::string>> headers;
  if (!impersonate_user.empty()) headers.emplace_back("Impersonate-User", impersonate_user);
  if (!impersonate_uid.empty()) headers.emplace_back("Impersonate-Uid", impersonate_uid);
  for (const auto& group : impersonate_groups) headers.emplace_back("Impersonate-Group", group);
  return headers;
}

Result<std::vector<std::string>> kubeconfig_names(const std::vector<std::string>& paths, const char* list) {
  try {
    const auto files = read_files(paths);
    if (!files) return tl::unexpected(files.error());
    std::vector<std::string> names;
    for (const Kind& kind : {kContext, kCluster, kUser}) {
      if (std::string_view(kind.list) != list) continue;
      const auto done = each_entry(*files, kind, [&](const std::string& name, const Section&) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        return false;
      });
      if (!done) return tl::unexpected(done.error());
    }
    return names;
  } catch (const std::exception& exception) {  // yaml-cpp and the standard library
    return make_error(ErrorKind::invalid, "use kubeconfig", paths_text(paths), exception.what());
  }
}

Result<ClusterAccess> load_kubeconfig(const std::vector<std::string>& paths, const std::string& context,
                                      const AccessOverrides& overrides) {
  try {
    const auto files = read_files(paths);
    const bool needs_none = !overrides.server.empty() && context.empty();
    if (!files && files.error().kind == ErrorKind::not_found && needs_none) return access_by_flags(overrides);
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
    auto cluster_name = fields.take(section.text("cluster"));
    auto user_name = fields.take(section.text("user"));
    const auto namespace_name = fields.take(section.text("namespace"));
    if (auto fine = fields.result(); !fine) return tl::unexpected(fine.error());
    if (!namespace_name.empty()) access.default_namespace = namespace_name;
    if (!overrides.cluster.empty()) cluster_name = overrides.cluster;
    if (!overrides.user.empty()) user_name = overrides.user;
    if (cluster_name.empty()) return section.error("cluster", "is missing", names_hint(*files, kCluster));
    const auto cluster = require_entry(*files, kCluster, cluster_name, section);
    if (!cluster) return tl::unexpected(cluster.error());
    if (auto read = read_cluster(*cluster, overrides, access); !read) return tl::unexpected(read.error());
    if (user_name.empty()) {
      if (auto read = read_user_flags(overrides, access); !read) return tl::unexpected(read.error());
      return access;
    }
    const auto user = require_entry(*files, kUser, user_name, section);
    if (!user) return tl::unexpected(user.error());
    if (auto read = read_user(*user, overrides, access); !read) return tl::unexpected(read.error());
    return access;
  } catch (const std::exception& exception) {  // yaml-cpp and the standard library
    return make_error(ErrorKind::invalid, "use kubeconfig", paths_text(paths), exception.what());
  }
}

}  // namespace usbloop::kube
