#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace usbloop::apiserver {

/// A column of `kubectl get`. priority > 0: only with -o wide.
struct Column {
  std::string name;
  std::string type = "string";
  std::string format = {};
  int priority = 0;
  std::string description = {};
};

/// Where a kind keeps what autoscaling/v1 Scale shows, as paths (field_path.h): ".spec.replicas".
struct ScalePaths {
  std::string replicas;
  std::string status_replicas;
  std::string selector;  ///< a label selector, as object or as text; empty: there is none
};

/// What a schema file says of a kind beside its fields: the lines that begin with '@'.
/// kube-sim/resources/schemas/README.md
struct KindDescription {
  struct DescribedColumn {
    Column column;
    std::string cell;  ///< the formula of its value (kube-sim/resources/cell.h); empty: code of its own shows it
  };
  struct Default {
    std::string path;  ///< ".spec.type"; "[]" steps into the items of a list
    nlohmann::json value;
  };

  /// What one of the roles that every cluster has ("view", "edit", "admin") may do with the objects.
  struct Right {
    std::string role;
    std::vector<std::string> verbs;
    std::vector<std::string> subresources;  ///< beside the kind itself: "scale"
  };

  std::string api_version;
  std::string kind;
  std::string plural;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  std::vector<std::string> other_versions;
  std::string other_versions_warning;
  bool cluster_wide = false;
  bool answers_token = false;
  bool has_status = false;
  bool has_approval = false;
  bool path_segment_names = false;
  bool counts_generations = false;  ///< metadata.generation counts the changes of the specification
  std::string without_controller;   ///< what objects tell of that nothing acts on them; empty: something does
  std::vector<Right> rights;
  std::optional<ScalePaths> scale;
  std::vector<DescribedColumn> columns;
  std::vector<std::string> selectable;  ///< for field selectors: "status.phase"
  std::vector<Default> defaults;
};

/// Reads one of those lines without its '@' into the description. Throws std::logic_error on a mistake in it.
void read_kind_line(const std::string& line, KindDescription& description);

}  // namespace usbloop::apiserver
