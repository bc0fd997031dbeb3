#include "kube-sim/controllers/event_recorder.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "common/log.h"
#include "common/timestamp.h"
#include "kube-sim/resources/event.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// As many as client-go's recorder remembers.
constexpr std::size_t kRemembered = 4096;

const User& recorder_user() {
  static const User kUser{"system:kube-controller-manager", "", {"system:masters"}};
  return kUser;
}

/// client-go appends the time in hexadecimal nanoseconds.
std::string event_name(const std::string& object) {
  std::array<char, 20> suffix{};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::snprintf(suffix.data(), suffix.size(), ".%llx",
                static_cast<unsigned long long>(std::chrono::nanoseconds(now).count()));
  return object.substr(0, 230) + suffix.data();
}

json reference_to(const json& object) {
  json reference = {{"kind", text_at(object, "/kind")},
                    {"name", text_at(object, "/metadata/name")},
                    {"uid", text_at(object, "/metadata/uid")},
                    {"apiVersion", text_at(object, "/apiVersion")},
                    {"resourceVersion", text_at(object, "/metadata/resourceVersion")}};
  const std::string ns = text_at(object, "/metadata/namespace");
  if (!ns.empty()) reference["namespace"] = ns;
  return reference;
}

}  // namespace

EventRecorder::EventRecorder(const Registry& registry, Store& store, std::string component)
    : resource_(registry.find_qualified(kEventResource)), writer_(store), component_(std::move(component)) {}

bool EventRecorder::record(const json& object, const char* type, const std::string& reason,
                           const std::string& message) {
  std::string what = text_at(object, "/metadata/uid") + " " + type + " " + reason + " " + message;
  if (const auto known = by_what_.find(what); known != by_what_.end()) {
    told_.splice(told_.end(), told_, known->second);
    if (count_up(known->second->event)) return true;
    told_.erase(known->second);
    by_what_.erase(known);
  }
  const std::string object_namespace = text_at(object, "/metadata/namespace");
  const std::string ns = object_namespace.empty() ? "default" : object_namespace;
  const std::string now = format_time(now_seconds());
  json event = {{"metadata", {{"name", event_name(text_at(object, "/metadata/name"))}, {"namespace", ns}}},
                {"involvedObject", reference_to(object)},
                {"reason", reason},
                {"message", message},
                {"source", {{"component", component_}}},
                {"reportingComponent", component_},
                {"reportingInstance", ""},
                {"firstTimestamp", now},
                {"lastTimestamp", now},
                {"eventTime", nullptr},
                {"count", 1},
                {"type", type}};
  const auto outcome = writer_.create(*resource_, ns, std::move(event), false);
  if (!outcome) {
    spdlog::debug("event {} not recorded: {}", reason, outcome.error().message);
    return false;
  }
  remember(std::move(what), (*outcome)->key);
  return true;
}

bool EventRecorder::count_up(const Key& event) {
  const auto outcome = writer_.update(*resource_, event, recorder_user(), {}, [](const json& current) {
    json counted = current;
    counted["count"] = current.value("count", std::int64_t{1}) + 1;
    counted["lastTimestamp"] = format_time(now_seconds());
    return counted;
  });
  return outcome.has_value();
}

void EventRecorder::remember(std::string what, Key event) {
  told_.push_back({what, std::move(event)});
  by_what_[std::move(what)] = std::prev(told_.end());
  if (told_.size() <= kRemembered) return;
  by_what_.erase(told_.front().what);
  told_.pop_front();
}

}  // namespace usbloop::apiserver
