#include "kube-sim/objects/codec.h"

#include <algorithm>

#include "common/ascii_text.h"
#include "common/json_text.h"
#include "kube-sim/objects/json_error.h"
#include "kube-sim/objects/protobuf_envelope.h"
#include "kube-sim/objects/yaml.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

bool within(const json& tree, int depth_left) {
  if (!tree.is_structured()) return true;
  if (depth_left == 0) return false;
  return std::all_of(tree.begin(), tree.end(), [&](const json& child) { return within(child, depth_left - 1); });
}

/// YAML and protobuf can hold strings that are no UTF-8; a tree with one could not be written as JSON again.
tl::expected<json, kube::Status> writable(tl::expected<json, kube::Status> tree) {
  if (!tree) return tree;
  try {
    static_cast<void>(tree->dump());
    return tree;
  } catch (const json::exception&) {
    return tl::unexpected(kube::bad_request("the body holds text that is not valid UTF-8"));
  }
}

/// What Go's decoder says when it looks for kind and apiVersion.
std::string not_an_object(const json& tree) {
  const std::string type = tree.is_boolean() ? "bool" : tree.type_name();
  return "json: cannot unmarshal " + type +
         " into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
         "\"json:\\\"kind,omitempty\\\"\" }";
}

kube::Status too_deep() { return kube::bad_request("the object is nested too deeply"); }

}  // namespace

tl::expected<json, kube::Status> parse_json(std::string_view text) {
  if (!json_depth_is_fine(text, kMaxJsonDepth)) return tl::unexpected(too_deep());
  try {
    return json::parse(text);
  } catch (const json::exception&) {
    std::string why = json_syntax_error(text);
    if (why.empty()) why = "the text is not valid UTF-8";  // of which Go takes what it can
    return tl::unexpected(kube::bad_request(std::move(why)));
  }
}

tl::expected<json, kube::Status> parse_yaml(const std::string& text) {
  auto tree = yaml_to_json(text, kMaxJsonDepth);
  if (!tree) return tl::unexpected(kube::bad_request("the body is not valid YAML: " + tree.error()));
  return writable(std::move(*tree));
}

bool depth_is_fine(const json& tree) { return within(tree, kMaxJsonDepth); }

std::string media_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\t') word += lower_case(c);
  }
  return word;
}

std::string media_type(std::string_view content_type) {
  return media_word(content_type.substr(0, content_type.find(';')));
}

tl::expected<json, kube::Status> decode_object(const std::string& content_type, const std::string& body,
                                               const SchemaSet& schemas) {
  const std::string type = media_type(content_type);
  if (type == "application/vnd.kubernetes.protobuf") return writable(decode_protobuf_envelope(body, schemas));
  if (type == "application/yaml") return parse_yaml(body);
  if (!type.empty() && type != "application/json") {
    return tl::unexpected(
        kube::unsupported_media_type({"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"}));
  }
  auto tree = parse_json(body);
  if (!tree) return tl::unexpected(kube::bad_request(kNoTypeInJson + tree.error().message));
  if (!tree->is_object()) return tl::unexpected(kube::bad_request(kNoTypeInJson + not_an_object(*tree)));
  return tree;
}

}  // namespace usbloop::apiserver
