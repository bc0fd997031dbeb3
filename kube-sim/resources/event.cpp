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

EventResource::EventResource() : Resource("v1", "Event") {}

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
