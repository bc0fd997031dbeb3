#include "apiserver-sim/subresource/subresource_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver-sim/kinds/all_kinds.h"
#include "apiserver-sim/kinds/kubevirt.h"
#include "apiserver-sim/subresource/subresource_table.h"
#include "common/kube/versions.h"
#include "kube-sim/objects/answer.h"

namespace usbloop::apiserver {
namespace {

Response kubevirt_version() {
  const nlohmann::ordered_json version = {{"gitVersion", kube::kKubeVirtVersion},
                                          {"gitCommit", "0000000000000000000000000000000000000000"},
                                          {"gitTreeState", "clean"},
                                          {"buildDate", "2026-03-01T00:00:00Z"},
                                          {"goVersion", "go1.24"},
                                          {"compiler", "gc"},
                                          {"platform", "linux/amd64"}};
  return answer_json(200, version.dump(1));
}

/// "/apis/GROUP/VERSION/version"
bool asks_for_version(const Request& request, const RequestInfo& info) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return reads && info.resource == "version" && info.name.empty() && info.namespace_.empty();
}

}  // namespace

const std::string& SubresourceApi::group() const {
  static const std::string kGroup(kSubresourceGroup);
  return kGroup;
}

const std::vector<std::string>& SubresourceApi::versions() const {
  static const std::vector<std::string> kVersions(kSubresourceVersions.begin(), kSubresourceVersions.end());
  return kVersions;
}

std::vector<std::string> SubresourceApi::listed() const { return listed_subresources(); }

bool SubresourceApi::knows(std::string_view resource, std::string_view subresource) const {
  for (const Subresource& entry : all_subresources()) {
    if (entry.resource != resource) continue;
    if (subresource.empty() || entry.name.substr(0, entry.name.find('/')) == subresource) return true;
  }
  return false;
}

Response SubresourceApi::answer(const Registry& registry, Store& store, const Request& request,
                                const RequestInfo& info) const {
  const auto& known = versions();
  const bool served = std::find(known.begin(), known.end(), info.version) != known.end();
  if (served && asks_for_version(request, info)) return kubevirt_version();
  return answer_subresource(registry, store, request, info);
}

Registry kubevirt_registry(const std::vector<std::string>& more) {
  std::vector<std::string_view> schemas = all_schemas();
  schemas.insert(schemas.end(), more.begin(), more.end());
  Registry::Apis aggregated;
  aggregated.push_back(std::make_unique<SubresourceApi>());
  return {all_kinds(), std::move(aggregated), schemas};
}

}  // namespace usbloop::apiserver
