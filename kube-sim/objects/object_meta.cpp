#include "kube-sim/objects/object_meta.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "common/kube/uuid.h"
#include "kube-sim/resources/resource.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

template <std::size_t size>
std::array<unsigned char, size> random_bytes() {
  std::array<unsigned char, size> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(size));
  return bytes;
}

/// The object without what does not count as a change of its specification.
json specification(const json& object) {
  json rest = object;
  rest.erase("metadata");
  rest.erase("status");
  return rest;
}

void carry_member(json& to, const json& from, const char* name) {
  const auto found = from.find(name);
  if (found == from.end()) {
    to.erase(name);
  } else {
    to[name] = *found;
  }
}

}  // namespace

std::string generated_name(const std::string& prefix) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string name = prefix.substr(0, 58);
  for (const unsigned char byte : random_bytes<5>()) name += kAlphabet[byte % kAlphabet.size()];
  return name;
}

void stamp_new(json& object, const std::string& now) {
  json& metadata = object["metadata"];
  for (const char* name : {"resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    metadata.erase(name);
  }
  metadata["uid"] = kube::random_uuid();
  metadata["creationTimestamp"] = now;
  metadata["generation"] = 1;
}

void carry_over(json& object, const json& current) {
  json& metadata = object["metadata"];
  const json& before = current["metadata"];
  for (const char* name : {"name", "namespace", "generateName", "uid", "creationTimestamp", "deletionTimestamp",
                           "deletionGracePeriodSeconds", "generation", "resourceVersion"}) {
    carry_member(metadata, before, name);
  }
  metadata.erase("selfLink");
  // Empty and absent mean the same; a client that sends the empty form changes nothing.
  for (const char* name : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    if (metadata.contains(name) && metadata[name].empty()) metadata.erase(name);
  }
  if (specification(object) != specification(current)) {
    metadata["generation"] = before.value("generation", std::int64_t{0}) + 1;
  }
}

bool is_being_deleted(const json& object) { return !text_at(object, "/metadata/deletionTimestamp").empty(); }

bool has_finalizers(const json& object) {
  const json* finalizers = element_at(object, "/metadata/finalizers");
  return finalizers != nullptr && !finalizers->empty();
}

bool has_finalizer(const json& object, const std::string& name) {
  const json* list = element_at(object, "/metadata/finalizers");
  return list != nullptr && list->is_array() && std::find(list->begin(), list->end(), name) != list->end();
}

void add_finalizer(json& object, const std::string& name) {
  if (has_finalizer(object, name)) return;
  json& list = object["metadata"]["finalizers"];
  if (!list.is_array()) list = json::array();
  list.push_back(name);
}

void remove_finalizer(json& object, const std::string& name) {
  if (has_finalizer(object, name)) std::erase(object["metadata"]["finalizers"].get_ref<json::array_t&>(), json(name));
}

std::string resource_version(const json& object) { return text_at(object, "/metadata/resourceVersion"); }

}  // namespace usbloop::apiserver
