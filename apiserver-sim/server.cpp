#include "apiserver-sim/server.h"

#include <algorithm>
#include <charconv>
#include <exception>

#include "apiserver-sim/controllers/controllers.h"
#include "apiserver-sim/kinds/installed_objects.h"
#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/metrics/metrics.h"
#include "apiserver-sim/policy/policies.h"
#include "apiserver-sim/subresource/subresource_api.h"
#include "apiserver-sim/subresource/vmi_streams.h"
#include "apiserver-sim/thread_room.h"
#include "common/descriptor_limit.h"
#include "common/log.h"
#include "kube-sim/controllers/custom_kinds.h"
#include "kube-sim/controllers/namespace_controller.h"
#include "kube-sim/http/front_door.h"
#include "kube-sim/observe/audit_log.h"
#include "kube-sim/request/files.h"
#include "kube-sim/security/bootstrap.h"
#include "kube-sim/security/kubeconfig_writer.h"
#include "kube-sim/security/pki.h"
#include "kube-sim/security/rbac_admission.h"
#include "kube-sim/security/role_aggregation.h"
#include "kube-sim/security/service_account_tokens.h"

namespace usbloop::apiserver {
namespace {

constexpr std::size_t kHistory = 10'000;
constexpr std::size_t kWorkers = 8;
constexpr std::size_t kNodeWorkers = 4;
constexpr const char* kNodeUser = "system:node:usbloop";

Result<Tokens> read_tokens(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  return parse_token_file(path, *text);
}

Result<Tokens> load_or_make_tokens(const std::string& path) {
  if (!file_exists(path)) {
    if (auto written = write_file(path, new_token_file(kNodeUser), 0600); !written) {
      return tl::unexpected(written.error());
    }
  }
  return read_tokens(path);
}

/// A token of a user in that group: the one to put into a kubeconfig.
std::optional<std::pair<std::string, std::string>> token_of_group(const Tokens& tokens, const std::string& group) {
  for (const auto& [token, user] : tokens) {
    if (user.in_group(group)) return std::pair(user.name, token);
  }
  return std::nullopt;
}

std::uint16_t last_port(const std::string& path) {
  std::uint16_t port = 0;
  if (const auto text = read_file(path)) std::from_chars(text->data(), text->data() + text->size(), port);
  return port;
}

/// The address that clients connect to. A server that listens on all addresses has clients elsewhere: they use the
/// first name of the certificate.
std::string url_of(const Options& options, std::uint16_t port) {
  const bool on_all = options.address == "0.0.0.0" || options.address == "::";
  std::string host = options.address;
  if (on_all && !options.names.empty()) {
    host = options.names.front();
  } else if (on_all) {
    host = options.address == "::" ? "::1" : "127.0.0.1";
  }
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "https://" + host + ":" + std::to_string(port);
}

}  // namespace

class ApiServer::Impl {
 public:
  explicit Impl(const Options& options) : registry_(kubevirt_registry(options.more_schemas)) {}

  Result<> start(const Options& options, Limits limits) {
    if (auto made = make_directories(options.data_dir); !made) return made;
    auto names = options.names;
    if (options.address != "0.0.0.0" && options.address != "::") names.push_back(options.address);
    auto pki = load_or_make_pki(options.data_dir + "/pki", names);
    if (!pki) return tl::unexpected(pki.error());
    const auto own_tokens = load_or_make_tokens(options.data_dir + "/tokens.csv");
    if (!own_tokens) return tl::unexpected(own_tokens.error());
    Tokens tokens = *own_tokens;
    if (!options.token_auth_file.empty()) {
      const auto more = read_tokens(options.token_auth_file);
      if (!more) return tl::unexpected(more.error());
      if (auto added = add_tokens(options.token_auth_file, *more, tokens); !added) return added;
    }
    if (auto opened = open_store(options); !opened) return opened;
    auto tls = net::TlsContext::server(pki->server_cert, pki->server_key, pki->ca_cert);
    if (!tls) return tl::unexpected(tls.error());
    tls_.emplace(std::move(*tls));
    const std::size_t descriptors = raise_descriptor_limit();
    limits.connections = std::min(limits.connections, descriptors > 200 ? descriptors - 100 : descriptors / 2);
    auto token_key = load_or_make_token_key(options.data_dir + "/pki/sa.key");
    if (!token_key) return tl::unexpected(token_key.error());
    account_tokens_.emplace(std::move(*token_key), *store_);
    authenticator_.emplace(tokens, &*account_tokens_);
    authorizer_.emplace(*store_, hub_);
    admission_.emplace(*authorizer_);
    api_.emplace(registry_, *store_, *authorizer_, &*admission_);
    api_->make_tokens_with(*account_tokens_);
    StreamOptions stream;
    stream.websocket.ping_interval = options.ping_interval;
    stream.websocket.peer_timeout = options.peer_timeout;
    streams_.emplace(*store_, stream);
    // An aggregate, which older compilers do not make in place.
    // NOLINTNEXTLINE(modernize-make-unique)
    services_.reset(new Services{registry_, *store_, hub_, *authenticator_, *authorizer_, *api_, *streams_, *tls_,
                                 workers_, node_workers_, limits, options.busy_poll});
    auto cors = Cors::make(options.cors_allowed_origins);
    if (!cors) return tl::unexpected(cors.error());
    services_->cors = std::move(*cors);
    metrics_ = std::make_unique<Metrics>(registry_, *store_, hub_, USBLOOP_VERSION);
    metrics_->attach(*services_, streams_->traffic());
    services_->observers = metrics_->observers();
    api_->serve_metrics([this] { return metrics_->page(); });
    if (auto opened = open_audit_log(options); !opened) return opened;
    front_door_ = std::make_unique<FrontDoor>(*services_);
    if (auto listening = listen(options); !listening) return listening;
    if (auto written = write_kubeconfigs(options, *pki, *own_tokens); !written) return written;
    if (options.controllers.run) {
      ControllerOptions times = options.controllers;
      times.root_ca = pki->ca_cert;
      controllers_ = std::make_unique<Controllers>(registry_, *store_, hub_, times);
    }
    role_aggregator_ = std::make_unique<RoleAggregator>(registry_, *store_, hub_);
    custom_kinds_ = std::make_unique<CustomKinds>(registry_, *store_, hub_);
    front_door_->start();
    return {};
  }

  void stop() {
    if (api_) api_->set_ready(false);
    if (front_door_) front_door_->stop();
    workers_.join();
    node_workers_.join();
  }
  void cut() {
    if (front_door_) front_door_->cut();
  }

  ~Impl() {
    stop();
    front_door_.reset();
    custom_kinds_.reset();
    role_aggregator_.reset();
    controllers_.reset();
  }

  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  Result<> open_store(const Options& options) {
    std::unique_ptr<Journal> journal;
    if (options.in_memory) {
      journal = make_memory_journal();
    } else {
      auto opened = open_sqlite_journal(options.data_dir + "/state.db", kHistory);
      if (!opened) return tl::unexpected(opened.error());
      journal = std::move(*opened);
    }
    const auto unreadable = options.set_aside_unreadable ? Store::Unreadable::set_aside : Store::Unreadable::refuse;
    auto store = Store::open(std::move(journal), registry_.field_reader(), hub_, unreadable);
    if (!store) return tl::unexpected(store.error());
    store_ = std::move(*store);
    if (auto made = make_system_namespaces(registry_, *store_, {kKubeVirtNamespace}); !made) return made;
    if (auto made = apply_bootstrap_policies(registry_, *store_, bootstrap_policies()); !made) return made;
    return make_installed_objects(registry_, *store_);
  }

  Result<> listen(const Options& options) {
    const std::string memory = options.data_dir + "/port";
    const std::uint16_t remembered = options.port == 0 ? last_port(memory) : options.port;
    auto port = front_door_->listen(options.address, remembered);
    if (!port && options.port == 0 && remembered != 0) {
      spdlog::warn("port {} of the last start is taken: choosing another one", remembered);
      port = front_door_->listen(options.address, 0);
    }
    if (!port) return tl::unexpected(port.error());
    url_ = url_of(options, *port);
    return write_file(memory, std::to_string(*port) + "\n", 0600);
  }

  Result<> write_kubeconfigs(const Options& options, const Pki& pki, const Tokens& tokens) {
    const auto write = [&](const std::string& path, const std::string& group, bool needed) -> Result<> {
      const auto credentials = token_of_group(tokens, group);
      if (!credentials && !needed) return {};
      if (!credentials) {
        return make_error(ErrorKind::invalid, "write a kubeconfig for", group,
                          "the token file has no user of that group");
      }
      const auto& [user, token] = *credentials;
      return write_file(path, kubeconfig_text(url_, pki.ca_cert, user, token), 0600);
    };
    if (auto written = write(options.kubeconfig, kMastersGroup, true); !written) return written;
    if (auto written = write(options.node_kubeconfig, "system:nodes", true); !written) return written;
    // A token file of an earlier version, or one written by hand, may lack these.
    if (auto written = write(options.data_dir + "/edit.kubeconfig", kEditorsGroup, false); !written) return written;
    return write(options.data_dir + "/view.kubeconfig", kViewersGroup, false);
  }

  Result<> open_audit_log(const Options& options) {
    if (options.audit_log_path.empty()) return {};
    constexpr std::uint64_t kMebibyte = 1024 * 1024;
    auto file =
        AuditFile::open(options.audit_log_path, {options.audit_log_maxsize * kMebibyte, options.audit_log_maxbackup});
    if (!file) return tl::unexpected(file.error());
    audit_ = std::make_unique<AuditLog>(std::move(*file));
    services_->observers.push_back(audit_.get());
    return {};
  }

  Registry registry_;
  WatchHub hub_{kHistory};
  std::unique_ptr<Store> store_;
  std::optional<net::TlsContext> tls_;
  std::optional<ServiceAccountTokens> account_tokens_;
  std::optional<Authenticator> authenticator_;
  std::optional<RbacAuthorizer> authorizer_;
  std::optional<RbacAdmission> admission_;
  std::optional<ApiHandler> api_;
  std::optional<VmiStreams> streams_;
  asio::thread_pool workers_{kWorkers};
  asio::thread_pool node_workers_{kNodeWorkers};
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Controllers> controllers_;
  std::unique_ptr<RoleAggregator> role_aggregator_;
  std::unique_ptr<CustomKinds> custom_kinds_;
  std::unique_ptr<FrontDoor> front_door_;
  std::string url_;
};

ApiServer::ApiServer(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
ApiServer::~ApiServer() = default;
void ApiServer::stop() { impl_->stop(); }
void ApiServer::cut() { impl_->cut(); }
const std::string& ApiServer::url() const { return impl_->url(); }

Result<std::unique_ptr<ApiServer>> ApiServer::start(const Options& options, const Limits& limits) {
  constexpr std::size_t kThreads = 3 * (kWorkers + kNodeWorkers);  // with the loops and the controllers
  try {
    if (auto room = check_thread_room(kThreads); !room) return tl::unexpected(room.error());
    std::unique_ptr<ApiServer> server(new ApiServer(options));
    if (auto started = server->impl_->start(options, limits); !started) return tl::unexpected(started.error());
    return server;
  } catch (const std::exception& error) {
    return make_error(ErrorKind::internal, "start", "", error.what(),
                      "Is there memory enough for this process (ulimit -v, or its container's limit)?");
  }
}

}  // namespace usbloop::apiserver
