#include "apiserver-sim/subresource/subresource_table.h"

#include <algorithm>
#include <array>

#include "apiserver-sim/subresource/expand_spec.h"
#include "apiserver-sim/subresource/migration.h"
#include "apiserver-sim/subresource/portforward.h"
#include "apiserver-sim/subresource/refusals.h"
#include "apiserver-sim/subresource/vm_lifecycle.h"
#include "apiserver-sim/subresource/vmi_actions.h"

namespace usbloop::apiserver {
namespace {

constexpr std::string_view kVmis = "virtualmachineinstances";
constexpr std::string_view kVms = "virtualmachines";
constexpr std::string_view kNoSev = "'WorkloadEncryptionSEV' feature gate is not enabled";
constexpr std::string_view kNoObjectGraph = "'ObjectGraph' feature gate is not enabled";
constexpr bool kUnlisted = false;

constexpr Subresource stream(std::string_view name, VmiCheck check, bool listed = true) {
  return {.resource = kVmis, .name = name, .method = "GET", .listed = listed, .stream = check};
}

constexpr Subresource request(std::string_view resource, std::string_view name, std::string_view method,
                              PlainHandler handler, bool listed = true) {
  return {.resource = resource, .name = name, .method = method, .listed = listed, .plain = handler};
}

constexpr Subresource switched_off(std::string_view resource, std::string_view name, std::string_view method,
                                   std::string_view refusal) {
  return {.resource = resource, .name = name, .method = method, .refusal = refusal};
}

constexpr Subresource only_listed(std::string_view resource, std::string_view name) {
  return {.resource = resource, .name = name, .method = ""};
}

constexpr auto kTable = std::to_array<Subresource>({
    request("expand-vm-spec", "", "PUT", expand_vm_spec),
    stream("vnc", check_vnc),
    request(kVmis, "vnc/screenshot", "GET", screenshot_vmi),
    stream("console", check_console),
    stream("usbredir", check_usbredir, kUnlisted),
    only_listed(kVmis, "portforward"),
    request(kVmis, "portforward/{}", "GET", portforward_vmi, kUnlisted),
    request(kVmis, "portforward/{}/{}", "GET", portforward_vmi, kUnlisted),
    request(kVmis, "pause", "PUT", pause_vmi),
    request(kVmis, "unpause", "PUT", unpause_vmi),
    request(kVmis, "freeze", "PUT", freeze_vmi),
    request(kVmis, "unfreeze", "PUT", unfreeze_vmi),
    request(kVmis, "reset", "PUT", reset_vmi),
    request(kVmis, "softreboot", "PUT", softreboot_vmi),
    request(kVms, "start", "PUT", start_vm),
    request(kVms, "stop", "PUT", stop_vm),
    request(kVms, "restart", "PUT", restart_vm),
    request(kVms, "migrate", "PUT", migrate_vm),
    request(kVms, "expand-spec", "GET", expand_spec),
    switched_off(kVms, "objectgraph", "GET", kNoObjectGraph),
    request(kVms, "evacuate/cancel", "PUT", cancel_evacuation),
    request(kVmis, "guestosinfo", "GET", guest_os_info),
    request(kVmis, "userlist", "GET", guest_os_info),
    request(kVmis, "filesystemlist", "GET", guest_os_info),
    switched_off(kVmis, "addvolume", "PUT", "Unable to Add Volume because HotplugVolumes feature gate is not enabled."),
    switched_off(kVmis, "removevolume", "PUT",
                 "Unable to Remove Volume because HotplugVolumes feature gate is not enabled."),
    switched_off(kVmis, "objectgraph", "GET", kNoObjectGraph),
    switched_off(kVmis, "sev/fetchcertchain", "GET", kNoSev),
    switched_off(kVmis, "sev/querylaunchmeasurement", "GET", kNoSev),
    switched_off(kVmis, "sev/setupsession", "PUT", kNoSev),
    switched_off(kVmis, "sev/injectlaunchsecret", "PUT", kNoSev),
    request(kVmis, "evacuate/cancel", "PUT", cancel_evacuation),
});

std::string_view next_segment(std::string_view& path) {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), segment.size() + 1));
  return segment;
}

bool matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = next_segment(pattern);
    const std::string_view given = next_segment(path);
    if (wanted != "{}" && wanted != given) return false;
  }
  return pattern.empty() && path.empty();
}

bool is_served(const Subresource& entry) {
  return entry.stream != nullptr || entry.plain != nullptr || !entry.refusal.empty();
}

}  // namespace

std::span<const Subresource> all_subresources() { return kTable; }

tl::expected<const Subresource*, Response> find_subresource(const std::string& method, const RequestInfo& info) {
  std::string allowed;
  const auto& versions = kSubresourceVersions;
  const bool known_version = std::find(versions.begin(), versions.end(), info.version) != versions.end();
  for (const Subresource& entry : kTable) {
    if (!known_version || info.namespace_.empty() || info.name.empty() != entry.name.empty()) continue;
    if (!is_served(entry)) continue;
    if (entry.resource != info.resource || !matches(entry.name, info.subresource)) continue;
    if (entry.method == method) return &entry;
    allowed.append(allowed.empty() ? "" : ", ").append(entry.method);
  }
  if (allowed.empty()) return tl::unexpected(answer_text(404, "404: Page Not Found"));
  Response refusal = answer_text(405, "405: Method Not Allowed");
  refusal.headers.emplace_back("Allow", allowed);
  return tl::unexpected(std::move(refusal));
}

const Subresource* find_stream(const std::string& method, const RequestInfo& info) {
  if (info.group != kSubresourceGroup || method != "GET") return nullptr;
  const auto found = find_subresource(method, info);
  return found && (*found)->stream != nullptr ? *found : nullptr;
}

Response answer_subresource(const Registry& registry, Store& store, const Request& request, const RequestInfo& info) {
  const auto found = find_subresource(request.method, info);
  if (!found) return found.error();
  const Subresource& entry = **found;
  if (entry.plain != nullptr) return entry.plain(registry, store, request, info);
  if (!entry.refusal.empty()) return answer_refusal(kube::bad_request(std::string(entry.refusal)));
  // A stream that came as an ordinary request: the front door has already taken all GETs of streams.
  return answer_text(405, "405: Method Not Allowed");
}

std::vector<std::string> listed_subresources() {
  std::vector<std::string> names;
  for (const Subresource& entry : kTable) {
    if (!entry.listed) continue;
    names.push_back(std::string(entry.resource) + (entry.name.empty() ? "" : "/") + std::string(entry.name));
  }
  return names;
}

}  // namespace usbloop::apiserver
