#include "kube-sim/objects/yaml.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>
#include <stdexcept>

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

json scalar_to_json(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  // A quoted scalar has the tag "!": it is a string whatever it looks like.
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (auto [at, error] = std::from_chars(text.data(), end, integer); error == std::errc() && at == end) return integer;
  double number = 0;
  const bool numeric_start = text[0] == '-' || text[0] == '.' || (text[0] >= '0' && text[0] <= '9');
  if (auto [at, error] = std::from_chars(text.data(), end, number);
      numeric_start && error == std::errc() && at == end && text != "-inf" && text != "-nan") {
    return number;
  }
  return text;
}

/// What YAML 1.1, which Go's clients read, takes for booleans.
bool reads_otherwise(const std::string& text) {
  static const std::set<std::string> kWords = {"y",  "Y",  "yes", "Yes", "YES", "n",   "N",   "no",
                                               "No", "NO", "on",  "On",  "ON",  "off", "Off", "OFF"};
  return kWords.count(text) > 0;
}

json node_to_json(const YAML::Node& node, int depth_left, std::size_t& nodes_left) {
  if (depth_left == 0) throw std::runtime_error("nested too deeply");
  if (nodes_left-- == 0) throw std::runtime_error("too many nodes");
  switch (node.Type()) {
    case YAML::NodeType::Sequence: {
      json list = json::array();
      for (const auto& item : node) list.push_back(node_to_json(item, depth_left - 1, nodes_left));
      return list;
    }
    case YAML::NodeType::Map: {
      json map = json::object();
      for (const auto& entry : node) {
        map[entry.first.as<std::string>()] = node_to_json(entry.second, depth_left - 1, nodes_left);
      }
      return map;
    }
    case YAML::NodeType::Scalar: return scalar_to_json(node);
    default: return nullptr;
  }
}

void emit(YAML::Emitter& out, const nlohmann::ordered_json& tree) {
  if (tree.is_object()) {
    out << (tree.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
    for (const auto& [name, value] : tree.items()) {
      out << YAML::Key;
      emit(out, name);
      out << YAML::Value;
      emit(out, value);
    }
    out << YAML::EndMap;
  } else if (tree.is_array()) {
    out << (tree.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const auto& item : tree) emit(out, item);
    out << YAML::EndSeq;
  } else if (tree.is_string()) {
    const auto text = tree.get<std::string>();
    // What would be read as something else than a string has to be quoted.
    const bool plain = scalar_to_json(YAML::Node(text)) == json(text) && !reads_otherwise(text);
    out << (plain ? YAML::Auto : YAML::DoubleQuoted) << text;
  } else {
    out << tree.dump();
  }
}

}  // namespace

std::string json_to_yaml(const nlohmann::ordered_json& tree) {
  YAML::Emitter out;
  emit(out, tree);
  return std::string(out.c_str(), out.size()) + "\n";
}

tl::expected<json, std::string> yaml_to_json(const std::string& text, int max_depth) {
  // Each node stands in the text once unless aliases repeat it; more nodes than characters is an alias bomb.
  std::size_t nodes_left = text.size() + 16;
  try {
    return node_to_json(YAML::Load(text), max_depth, nodes_left);
  } catch (const std::exception& error) {
    return tl::unexpected(std::string(error.what()));
  }
}

}  // namespace usbloop::apiserver
