#include "kube-sim/documents/health.h"

#include <set>

#include "common/log.h"

namespace usbloop::apiserver {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";

Response health_text(int code, std::string body) {
  return {code, kText, std::move(body), {{"X-Content-Type-Options", "nosniff"}}};
}

/// The checks that a request leaves out; those that are named and not there stay in the set.
std::set<std::string> excluded_by(const Request& request) {
  std::set<std::string> names;
  const auto [begin, end] = request.query.equal_range("exclude");
  for (auto at = begin; at != end; ++at) names.insert(at->second);
  return names;
}

std::string quoted(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ",\"") + name + "\"";
  return text;
}

}  // namespace

Health::Health() {
  add({"ping", [] { return Result<>(); }});
}

std::vector<const HealthCheck*> Health::checks_of(const std::string& endpoint) const {
  std::vector<const HealthCheck*> checks;
  for (const HealthCheck& check : checks_) {
    if (!check.ready_only || endpoint == "readyz") checks.push_back(&check);
  }
  return checks;
}

std::optional<Response> Health::answer(const Request& request) const {
  for (const std::string endpoint : {"healthz", "livez", "readyz"}) {
    const std::string path = "/" + endpoint;
    if (request.path == path || request.path == path + "/") return all(endpoint, request);
    if (!request.path.starts_with(path + "/")) continue;
    const std::string name = request.path.substr(path.size() + 1);
    for (const HealthCheck* check : checks_of(endpoint)) {
      if (check->name != name) continue;
      const auto fine = check->check();
      return fine ? health_text(200, "ok") : health_text(500, "internal server error: " + fine.error().cause + "\n");
    }
    return health_text(404, "404 page not found\n");
  }
  return std::nullopt;
}

Response Health::all(const std::string& endpoint, const Request& request) const {
  std::set<std::string> excluded = excluded_by(request);
  std::string lines;
  bool failed = false;
  for (const HealthCheck* check : checks_of(endpoint)) {
    if (excluded.erase(check->name) > 0) {
      lines += "[+]" + check->name + " excluded: ok\n";
      continue;
    }
    const auto fine = check->check();
    if (!fine) {
      // Everyone may read this page; the reason is for the log.
      spdlog::warn("{} check failed: {}: {}", endpoint, check->name, fine.error().message());
      lines += "[-]" + check->name + " failed: reason withheld\n";
      failed = true;
    } else {
      lines += "[+]" + check->name + " ok\n";
    }
  }
  if (!excluded.empty()) {
    lines += "warn: some health checks cannot be excluded: no matches for " + quoted(excluded) + "\n";
  }
  if (failed) return health_text(500, lines + endpoint + " check failed\n");
  if (request.query.count("verbose") == 0) return health_text(200, "ok");
  return health_text(200, lines + endpoint + " check passed\n");
}

}  // namespace usbloop::apiserver
