#include "kube-sim/objects/object_writer.h"

#include "common/timestamp.h"
#include "kube-sim/objects/managed_fields/field_manager.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/objects/write_checks.h"
#include "kube-sim/resources/namespace.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

FieldOwner owner_of(const Resource& resource, const WrittenBy& by, const char* subresource) {
  const std::string& version = by.api_version;
  return {{by.manager, false, version.empty() ? resource.api_version(resource.info().version) : version, subresource},
          format_time(now_seconds())};
}

/// A namespace keeps until its controller has emptied it.
bool waits_for_controller(const Resource& resource, const json& object) {
  if (resource.qualified() != kNamespaceResource) return false;
  const json* finalizers = element_at(object, "/spec/finalizers");
  return finalizers != nullptr && !finalizers->empty();
}

bool may_go(const Resource& resource, const json& object) {
  if (waits_for_controller(resource, object)) return false;
  return !has_finalizers(object) || resource.removable_with_finalizers(object);
}

std::int64_t grace_left(const json& object) {
  const json* grace = element_at(object, "/metadata/deletionGracePeriodSeconds");
  return grace != nullptr && grace->is_number_integer() ? grace->get<std::int64_t>() : 0;
}

/// The garbage collector takes these finalizers off when it has seen to what the object owns.
void hold_for_dependents(json& object, const std::string& propagation) {
  if (propagation == "Foreground") add_finalizer(object, kForegroundFinalizer);
  if (propagation == "Orphan") add_finalizer(object, kOrphanFinalizer);
}

void mark_deleted(const Resource& resource, json& object, std::int64_t grace) {
  json& metadata = object["metadata"];
  metadata["deletionTimestamp"] = format_time(seconds_from_now(grace));
  if (resource.qualified() != kNamespaceResource) metadata["deletionGracePeriodSeconds"] = grace;
  if (metadata.contains("generation")) metadata["generation"] = metadata["generation"].get<std::int64_t>() + 1;
  if (resource.qualified() == kNamespaceResource) object["status"]["phase"] = "Terminating";
}

}  // namespace

ObjectPtr ObjectWriter::preview(const Resource& resource, const Key& key, const json& object) {
  return make_object(key, 0, object, [&](const std::string&, const json& tree) { return resource.selectable(tree); });
}

std::optional<kube::Status> ObjectWriter::refuse_namespace(const Resource& resource, const std::string& namespace_,
                                                           const std::string& name) const {
  const ObjectPtr found = store_.get({kNamespaceResource, "", namespace_});
  if (!found) return kube::not_found("", "namespaces", namespace_);
  if (!is_being_deleted(found->parse())) return std::nullopt;
  const ResourceInfo& info = resource.info();
  kube::Status status = kube::forbidden(info.group, info.plural, name,
                                        kube::qualified_resource(info.group, info.plural) + " \"" + name +
                                            "\" is forbidden: unable to create new content in namespace " + namespace_ +
                                            " because it is being terminated");
  status.causes.push_back(
      {"NamespaceTerminating", "namespace " + namespace_ + " is being terminated", "metadata.namespace"});
  return status;
}

Outcome ObjectWriter::create(const Resource& resource, const std::string& namespace_, json object, bool dry_run,
                             const WrittenBy& by) {
  json& metadata = object["metadata"];
  if (metadata.is_null()) metadata = json::object();
  if (!metadata.is_object()) return tl::unexpected(kube::bad_request("metadata is not an object"));
  if (!resource_version(object).empty()) {
    return tl::unexpected(kube::bad_request("resourceVersion should not be set on objects to be created"));
  }
  if (auto refused = settle_type(resource, object)) return tl::unexpected(*refused);
  resource.prune(object);  // whether the sender hears of it is for the caller to decide
  if (auto refused = settle_namespace(resource, namespace_, object)) return tl::unexpected(*refused);
  const std::string prefix = text_at(metadata, "/generateName");
  const bool names_itself = text_at(metadata, "/name").empty() && !prefix.empty();
  if (names_itself) metadata["name"] = generated_name(prefix);
  const std::string now = format_time(now_seconds());
  if (!resource.takes_status_at_creation()) object.erase("status");
  resource.add_defaults(object);
  // Once: what the server adds below needs a tree whose shape is right, and leaves it right.
  if (auto refused = refuse_invalid(resource, object)) return tl::unexpected(*refused);
  // What the server adds from here on is nobody's.
  if (!by.applied) track_update(nullptr, object, owner_of(resource, by, ""), resource.merge_schema());
  stamp_new(object, now);
  if (!resource.info().counts_generations) metadata.erase("generation");
  resource.prepare_create(object, now);
  resource.note_creator(object, by.user);
  if (auto refused = resource.refuse_create(object, by.user)) return tl::unexpected(*refused);
  if (resource.info().namespaced) {
    if (auto refused = refuse_namespace(resource, namespace_, text_at(object, "/metadata/name")))
      return tl::unexpected(*refused);
  }
  if (admission_ != nullptr) {
    if (auto refused = admission_->refuse(resource, nullptr, object, by.user)) return tl::unexpected(*refused);
  }
  constexpr int kTries = 8;  // as kube-apiserver
  for (int left = kTries; names_itself && left > 1; --left) {
    Outcome made = insert(resource, object, dry_run);
    if (made || made.error().reason != "AlreadyExists") return made;
    object["metadata"]["name"] = generated_name(prefix);
  }
  return insert(resource, std::move(object), dry_run);
}

Outcome ObjectWriter::insert(const Resource& resource, json object, bool dry_run) {
  const std::string name = text_at(object, "/metadata/name");
  const Key key{resource.qualified(), text_at(object, "/metadata/namespace"), name};
  const auto already = [&] { return kube::already_exists(resource.info().group, resource.info().plural, name); };
  if (dry_run) {
    if (store_.get(key)) return tl::unexpected(already());
    return preview(resource, key, object);
  }
  return store_.transact(key, [&](const ObjectPtr& current) -> tl::expected<Change, kube::Status> {
    if (current) return tl::unexpected(already());
    return Change{Change::Kind::put, std::move(object)};
  });
}

tl::expected<json, kube::Status> ObjectWriter::checked_update(const Resource& resource, const User& user,
                                                              const UpdateOptions& options, json object,
                                                              const json& current) {
  const ResourceInfo& info = resource.info();
  const std::string name = text_at(current, "/metadata/name");
  if (!object["metadata"].is_object()) return tl::unexpected(kube::bad_request("metadata is not an object"));
  if (auto refused = settle_type(resource, object)) return tl::unexpected(*refused);
  resource.prune(object);
  if (auto refused = settle_namespace(resource, text_at(current, "/metadata/namespace"), object)) {
    return tl::unexpected(*refused);
  }
  const std::string given_name = text_at(object, "/metadata/name");
  if (given_name != name) {
    return tl::unexpected(kube::bad_request("the name of the object (" + given_name +
                                            ") does not match the name on the URL (" + name + ")"));
  }
  const std::string version = resource_version(object);
  if (!version.empty() && version != resource_version(current)) {
    return tl::unexpected(kube::object_modified(info.group, info.plural, name));
  }
  const std::string uid = text_at(object, "/metadata/uid");
  if (!uid.empty() && uid != text_at(current, "/metadata/uid")) {
    if (options.patched) {
      return tl::unexpected(
          kube::invalid(info.group, info.kind, name, {field::invalid("metadata.uid", uid, "field is immutable")}));
    }
    return tl::unexpected(other_uid(info, current, uid));
  }
  const json record = object["metadata"].value("managedFields", json());
  if (!options.whole) {
    resource.add_defaults(object);
    if (options.approval) {
      resource.prepare_approval(object, current);
    } else {
      resource.prepare_update(object, current, options.status_only);
    }
    resource.restore_protected(object, current, user);
  }
  carry_over(object, current);
  if (!info.counts_generations) object["metadata"].erase("generation");
  object["metadata"]["managedFields"] = record;
  if (record.is_null()) object["metadata"].erase("managedFields");
  if (!options.by.applied) {
    const char* part = options.approval ? "approval" : options.status_only ? "status" : "";
    track_update(&current, object, owner_of(resource, options.by, part), resource.merge_schema());
  }
  if (auto cause = late_finalizer(object, current)) {
    return tl::unexpected(kube::invalid(info.group, info.kind, name, {*cause}));
  }
  if (auto refused = refuse_invalid(resource, object)) return tl::unexpected(*refused);
  if (options.status_only && !options.approval) {
    Causes faults = resource.status_faults(object, current);
    if (!faults.empty()) return tl::unexpected(kube::invalid(info.group, info.kind, name, std::move(faults)));
  }
  if (auto refused = resource.refuse_update(object, current, user)) return tl::unexpected(*refused);
  return object;
}

Outcome ObjectWriter::update(const Resource& resource, const Key& key, const User& user, const UpdateOptions& options,
                             const Edit& edit) {
  ObjectPtr shown;
  auto outcome = store_.transact(key, [&](const ObjectPtr& found) -> tl::expected<Change, kube::Status> {
    if (!found) return tl::unexpected(missing_object(resource, key.name));
    const json current = found->parse();
    auto edited = edit(current);
    if (!edited) return tl::unexpected(edited.error());
    auto object = checked_update(resource, user, options, std::move(*edited), current);
    if (!object) return tl::unexpected(object.error());
    if (admission_ != nullptr) {
      if (auto refused = admission_->refuse(resource, &current, *object, user)) return tl::unexpected(*refused);
    }
    if (options.dry_run) {
      shown = preview(resource, key, *object);
      return Change{};
    }
    if (is_being_deleted(*object) && grace_left(*object) == 0 && may_go(resource, *object)) {
      return Change{Change::Kind::remove, *object};
    }
    if (*object == current) return Change{};
    return Change{Change::Kind::put, std::move(*object)};
  });
  if (outcome && shown) return shown;
  return outcome;
}

tl::expected<ObjectWriter::Deletion, kube::Status> ObjectWriter::remove(const Resource& resource, const Key& key,
                                                                        const DeleteOptions& options) {
  if (auto refused = resource.refuse_delete(key.name)) return tl::unexpected(*refused);
  Deletion deletion;
  auto outcome = store_.transact(key, [&](const ObjectPtr& found) -> tl::expected<Change, kube::Status> {
    if (!found) return tl::unexpected(missing_object(resource, key.name));
    if (auto refused = failed_precondition(resource, *found, options)) return tl::unexpected(*refused);
    json object = found->parse();
    const bool marked = is_being_deleted(object);
    if (!marked) hold_for_dependents(object, options.propagation_policy);
    const bool hastened = options.grace_period_seconds && resource.hasten_end(object, *options.grace_period_seconds);
    const std::int64_t grace = resource.deletion_grace(object, options.grace_period_seconds);
    deletion.gone = grace == 0 && may_go(resource, object);
    if (options.dry_run) return Change{};
    if (deletion.gone) return Change{Change::Kind::remove, std::move(object)};
    // A second DELETE may shorten the grace of the first, not lengthen it.
    const bool sooner = !marked || grace < grace_left(object);
    if (!sooner && !hastened) return Change{};
    if (sooner) mark_deleted(resource, object, grace);
    return Change{Change::Kind::put, std::move(object)};
  });
  if (!outcome) return tl::unexpected(outcome.error());
  deletion.object = *outcome;
  return deletion;
}

}  // namespace usbloop::apiserver
