#include "kube-sim/objects/negotiation.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

struct MediaRange {
  std::string type;
  std::map<std::string, std::string> parameters;
};

std::string_view cut(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

MediaRange parse_range(std::string_view text) {
  MediaRange range;
  range.type = media_word(cut(text, ';'));
  while (!text.empty()) {
    std::string_view parameter = cut(text, ';');
    const std::string name = media_word(cut(parameter, '='));
    range.parameters[name] = media_word(parameter);
  }
  return range;
}

bool is_json(const std::string& type) { return type == "application/json" || type == "*/*" || type == "application/*"; }
bool is_yaml(const std::string& type) { return type == "application/yaml"; }

/// Whether the range's "as" parameter asks for a form that there is.
bool read_form(MediaRange& range, Representation& form) {
  const std::string as = range.parameters["as"];
  if (as.empty()) return true;
  const std::string version = range.parameters["v"];
  if (range.parameters["g"] != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) return false;
  form.table = as == "table";
  form.metadata_only = as == "partialobjectmetadata" || as == "partialobjectmetadatalist";
  form.meta_version = version;
  return form.table || form.metadata_only;
}

}  // namespace

Representation negotiate(const std::string& accept) {
  std::string_view rest = accept;
  if (media_word(rest).empty()) return {};
  while (!rest.empty()) {
    MediaRange range = parse_range(cut(rest, ','));
    Representation form;
    form.yaml = is_yaml(range.type);
    if ((is_json(range.type) || form.yaml) && read_form(range, form)) return form;
  }
  return {.acceptable = false};
}

const std::vector<std::string_view>& served_types() {
  static const std::vector<std::string_view> kTypes = {"application/json", "application/yaml"};
  return kTypes;
}

}  // namespace usbloop::apiserver
