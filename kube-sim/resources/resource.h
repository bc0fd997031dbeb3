#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_at.h"
#include "common/kube/status.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/resources/cell.h"
#include "kube-sim/schema/kind_description.h"
#include "kube-sim/schema/merge_schema.h"
#include "kube-sim/schema/schema_set.h"
#include "kube-sim/store/object.h"

namespace usbloop::apiserver {

/// What discovery says about a resource.
struct ResourceInfo {
  std::string group;    ///< empty: core
  std::string version;  ///< in which objects are stored
  std::string plural;
  std::string singular;
  std::string kind;
  bool namespaced = true;
  std::vector<std::string> short_names = {};
  std::vector<std::string> categories = {};
  std::vector<std::string> other_versions = {};  ///< served as well, with the same fields
  bool has_status = false;                       ///< the status is written through a subresource of its own
  bool has_approval = false;                     ///< has the subresource approval (of certificate requests)
  bool strategic_merge = false;             ///< takes strategic merge patches (built-in kinds do, custom ones do not)
  bool path_segment_names = false;          ///< any name that fits into a path ("system:node"), not only DNS names
  std::string other_versions_warning = {};  ///< to clients that use one of other_versions; empty: none
  std::optional<ScalePaths> scale = {};     ///< has the subresource scale
  bool served = true;                       ///< the stored version is; others may be although it is not
  bool answers_token = false;               ///< has the subresource token (of service accounts)
  bool counts_generations = false;          ///< metadata.generation counts the changes of the specification

  /// Defined by a CustomResourceDefinition in a real cluster, not built into its API server.
  [[nodiscard]] bool custom() const { return !strategic_merge; }
};

using Causes = std::vector<kube::StatusCause>;

/// The rules of one kind of object. Stateless and thread-safe; objects are JSON trees whose metadata is checked
/// already.
class Resource {
 public:
  explicit Resource(ResourceInfo info);
  /// A kind whose names, columns and defaults stand in its schema file. It has no info before describe().
  Resource(const std::string& api_version, const std::string& kind);
  virtual ~Resource() = default;

  [[nodiscard]] const ResourceInfo& info() const { return info_; }
  /// Takes the kind's schema and description from the set, which outlives this object. Called by the registry, before
  /// all else.
  void describe(const SchemaSet& schemas);
  /// What the fields of the objects may be; null when no schema file describes the kind. For what is unknown to it:
  /// schema/validation.h.
  [[nodiscard]] const Schema* schema() const { return schema_; }
  /// Whether the schema has rules, of which the API server speaks also where it has not looked at them.
  [[nodiscard]] bool has_rules() const { return has_rules_; }
  /// The OpenAPI schema by which a custom resource is defined, as it was given for that version; null for the kinds of
  /// the schema files.
  [[nodiscard]] virtual const nlohmann::json* openapi(const std::string& version) const;
  /// Takes out what the kind does not have. What is taken out is listed, if `unknown` is given, at most kMaxFindings.
  virtual void prune(nlohmann::json& object, std::vector<std::string>* unknown = nullptr) const;
  /// How its fields are merged and owned.
  [[nodiscard]] const MergeSchema& merge_schema() const { return merge_schema_; }
  /// What its schema file says beside the fields; null when no file does.
  [[nodiscard]] const KindDescription* description() const { return description_; }
  /// What objects tell of that nothing here acts on them; empty when something does.
  [[nodiscard]] std::string without_controller() const;
  /// "widgets.example.org": the resource part of the store's keys.
  [[nodiscard]] std::string qualified() const { return kube::qualified_resource(info_.group, info_.plural); }
  /// "example.org/v1"
  [[nodiscard]] std::string api_version(const std::string& version) const;

  /// Writes in what is absent and has a default, with every write. The shape of the object may be wrong.
  virtual void add_defaults(nlohmann::json& object) const;
  /// Notes who makes the object, if the kind does that.
  virtual void note_creator(nlohmann::json& object, const User& user) const;
  /// Whether the status that comes with a new object counts. Otherwise the server begins it.
  [[nodiscard]] virtual bool takes_status_at_creation() const { return !info_.has_status; }
  /// Sets what clients may not choose, in an object that is valid; it is valid afterwards as well. `now`: RFC 3339.
  virtual void prepare_create(nlohmann::json& object, const std::string& now) const;
  /// Keeps what this way of writing may not change. `status_only`: the status subresource is written.
  virtual void prepare_update(nlohmann::json& object, const nlohmann::json& current, bool status_only) const;
  /// The same where the subresource approval is written; for kinds that have one.
  virtual void prepare_approval(nlohmann::json& object, const nlohmann::json& current) const;
  /// Puts back, without a word, what this user may not write, as a mutating webhook does. Not asked for the server's
  /// own controllers.
  virtual void restore_protected(nlohmann::json& object, const nlohmann::json& current, const User& user) const;
  /// Why the object cannot be; empty when it is fine. Looks at the schema; a kind with rules of its own adds them.
  [[nodiscard]] virtual Causes validate(const nlohmann::json& object) const;
  /// Why this user may not create the object, which is valid.
  [[nodiscard]] virtual std::optional<kube::Status> refuse_create(const nlohmann::json& object, const User& user) const;
  /// Why this user may not make this change of an existing object.
  [[nodiscard]] virtual std::optional<kube::Status> refuse_update(const nlohmann::json& object,
                                                                  const nlohmann::json& current,
                                                                  const User& user) const;
  /// Why the status, which is valid, may not be written through the subresource status: empty when it may.
  [[nodiscard]] virtual Causes status_faults(const nlohmann::json& object, const nlohmann::json& current) const;
  /// What an admission webhook says against the object as it would be stored; asked for objects that are valid.
  [[nodiscard]] virtual std::optional<kube::Status> admit(const nlohmann::json& object) const;
  /// Why the object of that name may not be deleted by anyone.
  [[nodiscard]] virtual std::optional<kube::Status> refuse_delete(const std::string& name) const;
  /// For how many seconds a deleted object stays for whoever runs it to end it; 0: it goes at once. `wish`: of the one
  /// who deletes it.
  [[nodiscard]] virtual std::int64_t deletion_grace(const nlohmann::json& object,
                                                    std::optional<std::int64_t> wish) const;
  /// A custom resource has no grace of its own: here it hands on what the one who deletes the object wishes, if what
  /// runs for the object shall end sooner than it would. Whether the object changed.
  virtual bool hasten_end(nlohmann::json& object, std::int64_t wish) const;
  /// Whether an object that is being deleted waits for no one although finalizers stand: then it goes at once.
  [[nodiscard]] virtual bool removable_with_finalizers(const nlohmann::json& object) const;

  /// Fields beside metadata.name and metadata.namespace that field selectors may name.
  [[nodiscard]] virtual Fields selectable(const nlohmann::json& object) const;
  [[nodiscard]] virtual const std::vector<std::string>& selectable_names() const;

  [[nodiscard]] virtual const std::vector<Column>& columns() const;
  /// One cell per column. `now`: seconds since 1970. Kinds with columns that no formula says have code for all of them.
  [[nodiscard]] virtual nlohmann::json cells(const nlohmann::json& object, std::int64_t now) const;
  /// Whether cells() can be made of an object's text.
  [[nodiscard]] bool has_text_cells() const { return has_text_cells_; }
  /// Appends what cells() answers for the object that this text is. Means nothing when the text is broken() afterwards.
  void append_cells(std::string& row, ObjectText& object, std::int64_t now) const;

 protected:
  Resource(ResourceInfo info, MergeSchema merge_schema);

 private:
  ResourceInfo info_;
  const Schema* schema_ = nullptr;
  bool has_rules_ = false;
  MergeSchema merge_schema_;
  const KindDescription* description_ = nullptr;
  std::vector<Column> columns_;
  std::vector<CellFormula> formulas_;
  bool has_text_cells_ = false;
};

/// A kind is shared by the registry and the requests that deal with its objects: a custom one may go while they run.
using ResourcePtr = std::shared_ptr<const Resource>;

// For reading objects whose shape is not known, beside common/json_at.h.

/// The integer, at most what int64 holds (the parser keeps more as unsigned); `fallback` when it is none.
std::int64_t int64_of(const nlohmann::json& value, std::int64_t fallback);
/// status of the condition of that type, or empty.
std::string condition_status(const nlohmann::json& object, const std::string& type);
/// The age of a timestamp as kubectl prints it ("5m", "3d4h"), "<unknown>" when there is none.
std::string age_of(const std::string& timestamp, std::int64_t now);

}  // namespace usbloop::apiserver
