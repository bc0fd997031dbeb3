#include "launcher-sim/api_server_wait.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/kube/kubeconfig.h"
#include "common/log.h"
#include "common/stop_wait.h"

namespace usbloop::launcher {
namespace {

using namespace std::chrono_literals;

/// How long a server that takes a connection and says nothing may keep us from noticing a signal.
constexpr std::chrono::milliseconds kConnectTime = 2s;
constexpr std::chrono::milliseconds kFirstPause = 50ms;
constexpr std::chrono::milliseconds kLongestPause = 2s;

/// Whether the server answers and lets us write our Node, without writing it.
Result<> ask(const kube::RestClient& client, const std::string& node_name, const std::stop_token& stop) {
  const auto quick = client.with_options({.connect_timeout = kConnectTime});
  const auto answer =
      quick.patch("/api/v1/nodes/" + node_name + "?dryRun=All", kube::PatchType::merge, nlohmann::json::object(), stop);
  // A node that comes for the first time is not there yet.
  if (answer || answer.error().kind == ErrorKind::not_found) return {};
  return tl::unexpected(answer.error());
}

/// One try. `access` is set to what the kubeconfig said.
Result<kube::RestClient> try_once(const ApiServerQuery& query, kube::ClusterAccess& access,
                                  const std::stop_token& stop) {
  auto read = kube::load_kubeconfig({query.kubeconfig}, query.context);
  if (!read) return tl::unexpected(read.error());
  access = std::move(*read);
  auto client = kube::RestClient::make(access, "launcher-sim");
  if (!client || !query.ask) return client;
  if (auto answered = ask(*client, query.node_name, stop); !answered) return tl::unexpected(answered.error());
  return client;
}

bool same_server_and_user(const kube::ClusterAccess& one, const kube::ClusterAccess& other) {
  return one.url() == other.url() && one.ca_pem == other.ca_pem && one.token == other.token &&
         one.client_cert_pem == other.client_cert_pem;
}

/// Whether a later try can succeed without anybody's help.
bool can_heal(const Error& error, const ApiServerQuery& query, const kube::ClusterAccess& tried) {
  if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout) return true;
  std::error_code code;
  if (error.kind == ErrorKind::not_found) return !std::filesystem::exists(query.kubeconfig, code);
  if (error.kind != ErrorKind::denied) return false;
  // A server that begins anew writes the kubeconfig anew, maybe after we have read the old one.
  const auto now = kube::load_kubeconfig({query.kubeconfig}, query.context);
  return now && !same_server_and_user(*now, tried);
}

Error with_hint(Error error) {
  if (error.kind == ErrorKind::denied && error.hint.empty()) {
    error.hint = "Is the kubeconfig the one that this API server has written for nodes (--node-kubeconfig)?";
  }
  return error;
}

}  // namespace

Result<kube::RestClient> wait_for_api_server(const ApiServerQuery& query, const std::stop_token& stop) {
  std::string told;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    kube::ClusterAccess access;
    auto client = try_once(query, access, stop);
    if (client) {
      if (!told.empty()) spdlog::info("the API server is there: {}", client->server());
      return client;
    }
    const Error& error = client.error();
    if (stop.stop_requested() || !can_heal(error, query, access)) return tl::unexpected(with_hint(error));
    if (const std::string text = error.message(); text != told) {
      spdlog::info("waiting for the API server: {}", text);
      told = text;
    }
    if (!wait_unless_stopped(stop, pause)) {
      return make_error(ErrorKind::cancelled, "wait for", "the API server", "asked to stop");
    }
  }
}

}  // namespace usbloop::launcher
