#include "kube-sim/resources/event.h"

#include "common/ascii_text.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

std::string first_of(const json& event, std::initializer_list<const char*> pointers) {
  for (const char* pointer : pointers) {
    if (std::string text = text_at(event, pointer); !text.empty()) return text;
  }
  return {};
}

std::string object_cell(const json& event) {
  return lower_case(text_at(event, "/involvedObject/kind")) + "/" + text_at(event, "/involvedObject/name");
}

}  // namespace

EventResource::EventResource()
    : Resource({.group = "",
                .version = "v1",
                .plural = "events",
                .singular = "event",
                .kind = "Event",
                .short_names = {"ev"},
                .strategic_merge = true,
                .merge_rules = {"involvedObject atomic", "related atomic"}}) {}

const std::vector<std::string>& EventResource::selectable_names() const {
  static const std::vector<std::string> kNames = {"involvedObject.kind",
                                                  "involvedObject.namespace",
                                                  "involvedObject.name",
                                                  "involvedObject.uid",
                                                  "involvedObject.apiVersion",
                                                  "involvedObject.resourceVersion",
                                                  "involvedObject.fieldPath",
                                                  "reason",
                                                  "reportingComponent",
                                                  "source",
                                                  "type"};
  return kNames;
}

const std::vector<Column>& EventResource::columns() const {
  static const std::vector<Column> kColumns = {
      {"Last Seen", "string", "", 0, "How long ago the event last happened."},
      {"Type", "string", "", 0, "Normal or Warning."},
      {"Reason", "string", "", 0, "What happened, as one word in CamelCase."},
      {"Object", "string", "", 0, "Kind and name of the object to which it happened."},
      {"Subobject", "string", "", 1, "The part of the object that is meant."},
      {"Source", "string", "", 1, "The component that reported the event."},
      {"Message", "string", "", 0, "What happened, for people."},
      {"First Seen", "string", "", 1, "How long ago the event happened first."},
      {"Count", "string", "", 1, "How often the event has happened."},
      {"Name", "string", "name", 1, "Name of the event."}};
  return kColumns;
}

json EventResource::cells(const json& object, std::int64_t now) const {
  const json* count = element_at(object, "/count");
  return {age_of(first_of(object, {"/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"}), now),
          text_at(object, "/type"),
          text_at(object, "/reason"),
          object_cell(object),
          text_at(object, "/involvedObject/fieldPath"),
          first_of(object, {"/source/component", "/reportingComponent"}),
          text_at(object, "/message"),
          age_of(first_of(object, {"/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"}), now),
          count != nullptr && count->is_number() ? *count : json(1),
          text_at(object, "/metadata/name")};
}

}  // namespace usbloop::apiserver
