#pragma once

#include <yaml-cpp/yaml.h>

#include <string>

namespace usbloop {

/// What a file of YAML may hold at most. Aliases are refused: few files have them, and they make a small one huge.
struct YamlBounds {
  std::string what;  ///< "a kubeconfig", for messages
  int depth = 32;
  int nodes = 200'000;
};

/// The first document of `text`, whose length the caller has bounded. The events are counted before a tree is made of
/// them, so that hostile text costs neither memory nor stack. Throws YAML::Exception for what is wrong or too much.
YAML::Node load_bounded_yaml(const std::string& text, const YamlBounds& bounds);

/// `line 3, column 7: …`.
std::string yaml_cause(const YAML::Exception& exception);

/// "a mapping", "a list", "a plain value", "nothing".
const char* name_of_yaml(YAML::NodeType::value type);

}  // namespace usbloop
