#include "kube-sim/resources/config.h"

#include <algorithm>

#include "common/kube/encoding.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBytes = 1024 * 1024;
constexpr std::size_t kLongestKey = 253;

bool is_config_key(const std::string& key) {
  if (key.empty() || key.size() > kLongestKey || key == "." || key.starts_with("..")) return false;
  return key.find_first_not_of("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
         std::string::npos;
}

/// Checks the keys of one map and adds up the sizes of its values.
void check_entries(const json& object, const char* name, bool encoded, std::size_t& bytes, Causes& causes) {
  const auto map = object.find(name);
  if (map == object.end() || !map->is_object()) return;
  for (const auto& [key, value] : map->items()) {
    const std::string path = std::string(name) + "[" + key + "]";
    if (!is_config_key(key)) {
      causes.push_back(field::invalid(
          path, key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  "
          "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"));
    }
    if (!value.is_string()) continue;
    const auto& text = value.get_ref<const std::string&>();
    const auto decoded = encoded ? kube::base64_decode(text) : std::optional(text);
    if (!decoded) causes.push_back(field::invalid(path, value, "illegal base64 data"));
    bytes += decoded ? decoded->size() : 0;
  }
}

bool is_fixed(const json& object) { return object.value("immutable", json()) == true; }

/// What a secret of that type has to hold.
void check_secret_type(const json& secret, Causes& causes) {
  const std::string type = text_at(secret, "/type");
  const auto demand = [&](const char* key) {
    const auto data = secret.find("data");
    if (data == secret.end() || !data->is_object() || !data->contains(key)) {
      causes.push_back(field::required(std::string("data[") + key + "]"));
    }
  };
  if (type == "kubernetes.io/tls") {
    demand("tls.crt");
    demand("tls.key");
  } else if (type == "kubernetes.io/dockerconfigjson") {
    demand(".dockerconfigjson");
  } else if (type == "kubernetes.io/dockercfg") {
    demand(".dockercfg");
  } else if (type == "kubernetes.io/ssh-auth") {
    demand("ssh-privatekey");
  }
}

}  // namespace

ConfigResource::ConfigResource(const std::string& kind) : Resource("v1", kind) {}

void ConfigResource::add_defaults(json& object) const {
  Resource::add_defaults(object);
  const auto plain = object.find("stringData");
  if (plain == object.end() || info().kind != "Secret") return;
  const json texts = *plain;
  const bool fits = texts.is_null() || (texts.is_object() && std::all_of(texts.begin(), texts.end(),
                                                                         [](const json& t) { return t.is_string(); }));
  if (!fits) return;  // the schema says what is wrong
  object.erase("stringData");
  if (texts.is_null() || texts.empty()) return;
  json& data = object["data"];
  if (data.is_null()) data = json::object();
  if (!data.is_object()) return;
  for (const auto& [key, text] : texts.items()) data[key] = kube::base64_encode(text.get_ref<const std::string&>());
}

Causes ConfigResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (!causes.empty()) return causes;
  std::size_t bytes = 0;
  const bool secret = info().kind == "Secret";
  check_entries(object, "data", secret, bytes, causes);
  if (secret) {
    check_secret_type(object, causes);
  } else {
    check_entries(object, "binaryData", true, bytes, causes);
    const json binary = object.value("binaryData", json::object());  // items() keeps no temporary
    for (const auto& [key, value] : binary.items()) {
      if (object.contains("data") && object["data"].contains(key)) {
        causes.push_back(field::invalid("data[" + key + "]", key, "duplicate of key present in binaryData"));
      }
    }
  }
  if (bytes > kMostBytes) causes.push_back(field::too_long(secret ? "data" : "", kMostBytes));
  return causes;
}

std::optional<kube::Status> ConfigResource::refuse_update(const json& object, const json& current, const User&) const {
  Causes causes;
  if (is_fixed(current)) {
    if (!is_fixed(object)) {
      causes.push_back(field::forbidden("immutable", "field is immutable when `immutable` is set"));
    }
    for (const char* name : {"data", "binaryData"}) {
      if (object.value(name, json()) == current.value(name, json())) continue;
      causes.push_back(field::forbidden(name, "field is immutable when `immutable` is set"));
    }
  }
  if (info().kind == "Secret" && text_at(object, "/type") != text_at(current, "/type")) {
    causes.push_back(field::invalid("type", object.value("type", json()), "field is immutable"));
  }
  if (causes.empty()) return std::nullopt;
  return kube::invalid("", info().kind, text_at(current, "/metadata/name"), std::move(causes));
}

}  // namespace usbloop::apiserver
