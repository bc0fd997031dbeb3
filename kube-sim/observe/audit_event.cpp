#include "kube-sim/observe/audit_event.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "common/kube/uuid.h"
#include "kube-sim/objects/object_meta.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::ordered_json;

/// RFC 3339 with microseconds.
std::string micro_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count() % 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%06dZ", static_cast<int>(micros));
  return text;
}

const char* stage_name(AuditStage stage) {
  switch (stage) {
    case AuditStage::request_received: return "RequestReceived";
    case AuditStage::response_started: return "ResponseStarted";
    default: return "ResponseComplete";
  }
}

ordered_json user_json(const User& user) {
  ordered_json object = ordered_json::object();
  if (!user.name.empty()) object["username"] = user.name;
  if (!user.uid.empty()) object["uid"] = user.uid;
  if (!user.groups.empty()) object["groups"] = user.groups;
  if (!user.extra.empty()) object["extra"] = user.extra;
  return object;
}

ordered_json object_ref(const RequestInfo& info) {
  ordered_json ref = ordered_json::object();
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) ref[name] = value;
  };
  add("resource", info.resource);
  add("namespace", info.namespace_);
  add("name", info.name);
  add("apiGroup", info.group);
  add("apiVersion", info.version);
  add("subresource", info.subresource);
  return ref;
}

/// The address without its port.
std::string address_of(const std::string& client) {
  std::string address = client.substr(0, client.rfind(':'));
  if (address.size() > 2 && address.front() == '[') address = address.substr(1, address.size() - 2);
  return address;
}

}  // namespace

std::string audit_id_of(const http::Head& head) {
  constexpr std::size_t kMostBytes = 64;
  const std::string given = head.header("Audit-ID");
  const bool plain = !given.empty() && given.size() <= kMostBytes &&
                     std::all_of(given.begin(), given.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  return plain ? given : kube::random_uuid();
}

std::string audit_line(const RequestEvent& event, AuditStage stage, std::chrono::system_clock::time_point now) {
  ordered_json line = {
      {"kind", "Event"},           {"apiVersion", "audit.k8s.io/v1"}, {"level", "Metadata"},
      {"auditID", event.audit_id}, {"stage", stage_name(stage)},      {"requestURI", event.head.target},
      {"verb", event.info.verb},   {"user", user_json(event.caller)}};
  if (event.impersonates) line["impersonatedUser"] = user_json(event.request.user);
  line["sourceIPs"] = ordered_json::array({address_of(event.client)});
  if (std::string agent = event.head.header("User-Agent"); !agent.empty()) line["userAgent"] = std::move(agent);
  if (event.info.is_resource) line["objectRef"] = object_ref(event.info);
  if (event.code != 0) {
    line["responseStatus"] = {{"metadata", ordered_json::object()}, {"code", event.code}};
    if (event.caller.name.empty()) line["responseStatus"]["message"] = "Authentication failed";
  }
  line["requestReceivedTimestamp"] = micro_time(event.received);
  line["stageTimestamp"] = micro_time(now);
  if (event.decision) {
    line["annotations"] = {{"authorization.k8s.io/decision", event.decision->allowed ? "allow" : "forbid"},
                           {"authorization.k8s.io/reason", event.decision->reason}};
  }
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace usbloop::apiserver
