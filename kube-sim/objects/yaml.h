#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>

namespace usbloop::apiserver {

/// One YAML document as a JSON tree, with YAML's core scalar types. Aliases may not blow the tree up beyond the size of
/// the text. The error is a text for the client.
tl::expected<nlohmann::json, std::string> yaml_to_json(const std::string& text, int max_depth);

/// The tree as one YAML document in block style; reading it gives the same tree.
std::string json_to_yaml(const nlohmann::ordered_json& tree);

}  // namespace usbloop::apiserver
