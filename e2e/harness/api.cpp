#include "e2e/harness/api.h"

#include <nlohmann/json.hpp>

#include "common/kube/event_lines.h"
#include "common/kube/kubeconfig.h"
#include "e2e/harness/connect.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"

namespace usbloop::e2e {
namespace {

using nlohmann::json;

/// A request may take long on a busy machine but not for ever.
std::unique_ptr<httplib::SSLClient> connect(const Api& api) { return e2e::connect(api, 20s); }

ApiAnswer take(const httplib::Result& result, const std::string& what) {
  if (!result) throw Failure(what + ": " + httplib::to_string(result.error()));
  return {.status = result->status, .body = result->body};
}

/// The longest event of a watch.
constexpr std::size_t kEventBytes = 64 << 20;

}  // namespace

std::unique_ptr<httplib::SSLClient> connect(const Api& api, std::chrono::seconds answer_timeout) {
  auto client = std::make_unique<httplib::SSLClient>(api.host(), api.port());
  client->set_ca_cert_path(api.ca_file().string());
  client->enable_server_certificate_verification(true);
  client->set_connection_timeout(std::chrono::seconds(10));
  client->set_read_timeout(answer_timeout);
  client->set_bearer_token_auth(api.token());
  client->set_keep_alive(true);
  client->set_tcp_nodelay(true);
  return client;
}

json ApiAnswer::json() const {
  auto parsed = nlohmann::json::parse(body, nullptr, false);
  if (parsed.is_discarded()) throw Failure("not JSON (" + std::to_string(status) + "): " + body);
  return parsed;
}

Api::Api(const std::filesystem::path& kubeconfig) {
  const auto access = kube::load_kubeconfig({kubeconfig.string()}, "");
  if (!access) throw Failure(access.error().message());
  host_ = access->host;
  port_ = access->port;
  token_ = access->token;
  ca_file_ = kubeconfig.string() + ".ca.crt";
  write_file(ca_file_, access->ca_pem);
}

ApiAnswer Api::get(const std::string& path) const { return take(connect(*this)->Get(path), "GET " + path); }

ApiAnswer Api::create(const std::string& path, const json& object) const {
  return take(connect(*this)->Post(path, object.dump(), "application/json"), "POST " + path);
}

ApiAnswer Api::merge_patch(const std::string& path, const json& patch) const {
  return take(connect(*this)->Patch(path, patch.dump(), "application/merge-patch+json"), "PATCH " + path);
}

ApiAnswer Api::put(const std::string& path, const std::string& body) const {
  return take(connect(*this)->Put(path, body, ""), "PUT " + path);
}

ApiAnswer Api::remove(const std::string& path) const { return take(connect(*this)->Delete(path), "DELETE " + path); }

void Api::watch(const std::string& path, milliseconds timeout, const std::string& what,
                const std::function<bool(const json&)>& on_event) const {
  const Deadline deadline(timeout);
  const std::string address = path + (path.find('?') == std::string::npos ? "?" : "&") + "watch=true";
  bool found = false;
  std::string last = "no event";
  const std::function<bool(const json&)> look = [&](const json& event) {
    last = event.dump();
    found = on_event(event);
    return !found;
  };
  while (!found && !deadline.passed()) {
    const auto client = connect(*this);
    client->set_read_timeout(std::chrono::duration_cast<std::chrono::seconds>(deadline.left()) + 1s);
    kube::EventLines lines(kEventBytes);
    const auto result = client->Get(address, [&](const char* data, std::size_t size) {
      return lines.feed({data, size}, look) && !deadline.passed();
    });
    if (lines.error()) throw Failure("watch " + path + ": " + *lines.error());
    if (result && result->status != 200) throw Failure("watch " + path + ": HTTP " + std::to_string(result->status));
    if (!found && !result && result.error() == httplib::Error::Connection) throw Failure("watch " + path + ": refused");
  }
  if (!found) throw Failure("gave up watching for " + what + "; last event: " + last);
}

}  // namespace usbloop::e2e
