#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "common/error.h"

namespace usbloop::kube {

/// One kubeconfig file, parsed and checked for its outer shape.
struct KubeconfigFile {
  std::string path;
  YAML::Node root;  ///< a map, or null when the file is empty
};

/// A mapping inside a kubeconfig file, for reading fields with errors that name file and field. Value type.
class Section {
 public:
  /// `where` is the field's path for messages, for example `users["admin"].user`.
  Section(std::string file, std::string where, const YAML::Node& node);

  /// Errors unless the node is a mapping; a missing or null one counts as empty.
  [[nodiscard]] Result<> check() const;
  [[nodiscard]] bool has(const char* key) const;
  /// A scalar as text; empty when absent or null.
  [[nodiscard]] Result<std::string> text(const char* key) const;
  [[nodiscard]] Result<bool> flag(const char* key) const;
  [[nodiscard]] Result<Section> section(const char* key) const;
  /// A sequence's entries; empty when absent or null.
  [[nodiscard]] Result<std::vector<YAML::Node>> list(const char* key) const;
  /// Content of the PEM file `key`, or of the base64 field `key`-data, which wins. Empty when neither is there.
  [[nodiscard]] Result<std::string> pem(const char* key) const;
  /// `path`, taken relative to the folder of the kubeconfig file.
  [[nodiscard]] std::string resolve(const std::string& path) const;

  [[nodiscard]] tl::unexpected<Error> error(const std::string& key, const std::string& cause,
                                            const std::string& hint = {}) const;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  [[nodiscard]] Result<YAML::Node> value(const char* key) const;

  std::string file_;
  std::string where_;
  YAML::Node node_;
};

/// Reads a whole regular file of at most `limit` bytes. `operation` begins the error.
Result<std::string> read_bounded(const std::string& path, std::size_t limit, const std::string& operation);

/// Reads and parses one file. ErrorKind::not_found when it does not exist. Size, depth and number of nodes are bounded.
/// Aliases are refused: no tool writes them into a kubeconfig, and they make a small file huge.
Result<KubeconfigFile> read_kubeconfig_file(const std::string& path);

}  // namespace usbloop::kube
