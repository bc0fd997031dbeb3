#include "apiserver-sim/api/rest_handler.h"

#include <algorithm>

#include "apiserver-sim/api/codec.h"
#include "apiserver-sim/api/object_meta.h"
#include "apiserver-sim/api/patch.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

Key key_of(const View& view, const RequestInfo& info, const std::string& name) {
  return {view.resource.qualified(), view.resource.info().namespaced ? info.namespace_ : std::string(), name};
}

/// Whether the verb is one that this path (object, collection, subresource) has.
bool allows(const Resource& resource, const RequestInfo& info) {
  const bool named = !info.name.empty();
  if (!info.subresource.empty()) return info.verb == "get" || info.verb == "update" || info.verb == "patch";
  if (info.verb == "create") return !named && (!resource.info().namespaced || !info.namespace_.empty());
  if (info.verb == "update" || info.verb == "patch") return named;
  return info.verb == "get" || info.verb == "list" || info.verb == "delete" || info.verb == "deletecollection";
}

tl::expected<DeleteOptions, kube::Status> read_delete_options(const Request& request) {
  DeleteOptions options;
  const auto dry_run = read_dry_run(request);
  if (!dry_run) return tl::unexpected(dry_run.error());
  options.dry_run = *dry_run;
  if (request.body.empty()) return options;
  const auto body = decode_object(request.content_type, request.body);
  if (!body) return tl::unexpected(body.error());
  options.uid = text_at(*body, "/preconditions/uid");
  options.resource_version = text_at(*body, "/preconditions/resourceVersion");
  if (const json* list = element_at(*body, "/dryRun"); list != nullptr && !list->empty()) options.dry_run = true;
  return options;
}

Response answer_deletion(const View& view, const ObjectWriter::Deletion& deletion) {
  if (!deletion.gone) return answer_object(view, 200, *deletion.object);
  const ResourceInfo& info = view.resource.info();
  return answer_status(kube::deleted(info.group, info.plural, deletion.object->key.name, deletion.object->uid));
}

}  // namespace

tl::expected<bool, kube::Status> read_dry_run(const Request& request) {
  if (request.query.count("dryRun") == 0) return false;
  const std::string value = request.parameter("dryRun");
  if (value == "All") return true;
  return tl::unexpected(kube::bad_request("dryRun: Unsupported value: \"" + value + "\": supported values: \"All\""));
}

tl::expected<Selection, kube::Status> read_selection(const Request& request, const RequestInfo& info,
                                                     const Resource& resource) {
  auto labels = Selector::parse_labels(request.parameter("labelSelector"));
  if (!labels) return tl::unexpected(kube::bad_request(labels.error()));
  auto fields = Selector::parse_fields(request.parameter("fieldSelector"));
  if (!fields) return tl::unexpected(kube::bad_request(fields.error()));
  const auto& names = resource.selectable_names();
  for (const Requirement& requirement : fields->requirements()) {
    const bool known = requirement.key == "metadata.name" || requirement.key == "metadata.namespace" ||
                       std::find(names.begin(), names.end(), requirement.key) != names.end();
    if (!known) return tl::unexpected(kube::bad_request("field label not supported: " + requirement.key));
  }
  Selection selection{std::move(*labels), std::move(*fields)};
  if (!info.name.empty()) {
    auto by_name = Selector::parse_fields("metadata.name=" + info.name);
    if (!by_name) return tl::unexpected(kube::bad_request(by_name.error()));
    if (selection.fields.requirements().empty()) selection.fields = std::move(*by_name);
  }
  return selection;
}

Response RestHandler::handle(const Request& request, const RequestInfo& info) {
  const Resource* resource = registry_.find(info.group, info.version, info.resource);
  const bool known_subresource =
      info.subresource.empty() || (resource != nullptr && info.subresource == "status" && resource->info().has_status);
  if (resource == nullptr || !known_subresource) {
    return {404, "text/plain; charset=utf-8", "404 page not found\n", {}};
  }
  if (!allows(*resource, info)) return answer_status(kube::method_not_allowed());
  const View view = make_view(request, info, *resource);
  if (!view.representation.acceptable) {
    return answer_status(kube::not_acceptable({"application/json", "application/yaml"}));
  }
  if (info.verb == "get") return get(view, key_of(view, info, info.name));
  if (info.verb == "list") return list(view, request, info);
  if (info.verb == "create") return create(view, request, info);
  if (info.verb == "update") return update(view, request, info);
  if (info.verb == "patch") return patch(view, request, info);
  if (info.verb == "delete") return remove(view, request, info);
  return remove_collection(view, request, info);
}

Response RestHandler::answer(const View& view, const Outcome& outcome, int code) const {
  return outcome ? answer_object(view, code, **outcome) : answer_status(outcome.error());
}

Response RestHandler::get(const View& view, const Key& key) const {
  const ObjectPtr object = store_.get(key);
  if (!object) {
    return answer_status(kube::not_found(view.resource.info().group, view.resource.info().plural, key.name));
  }
  return answer_object(view, 200, *object);
}

Response RestHandler::list(const View& view, const Request& request, const RequestInfo& info) const {
  const auto selection = read_selection(request, info, view.resource);
  if (!selection) return answer_status(selection.error());
  Store::Listing listing = store_.list(view.resource.qualified(), info.namespace_);
  std::erase_if(listing.objects, [&](const ObjectPtr& object) { return !selection->matches(*object); });
  return answer_list(view, listing.objects, listing.version);
}

Response RestHandler::create(const View& view, const Request& request, const RequestInfo& info) {
  const auto dry_run = read_dry_run(request);
  if (!dry_run) return answer_status(dry_run.error());
  auto object = decode_object(request.content_type, request.body);
  if (!object) return answer_status(object.error());
  return answer(view, writer_.create(view.resource, info.namespace_, std::move(*object), *dry_run), 201);
}

Response RestHandler::update(const View& view, const Request& request, const RequestInfo& info) {
  const auto dry_run = read_dry_run(request);
  if (!dry_run) return answer_status(dry_run.error());
  auto object = decode_object(request.content_type, request.body);
  if (!object) return answer_status(object.error());
  return answer(view,
                writer_.update(view.resource, key_of(view, info, info.name), request.user,
                               {!info.subresource.empty(), *dry_run}, [&](const json&) { return *object; }),
                200);
}

Response RestHandler::patch(const View& view, const Request& request, const RequestInfo& info) {
  const auto dry_run = read_dry_run(request);
  if (!dry_run) return answer_status(dry_run.error());
  const auto type = patch_type(request.content_type, view.resource.info().strategic_merge);
  if (!type) return answer_status(type.error());
  const auto patch = parse_patch(*type, request.body);
  if (!patch) return answer_status(patch.error());
  if (*type == PatchType::apply && info.subresource.empty()) return apply(view, request, info, *patch);
  const auto edit = [&](const json& current) { return apply_patch(*type, current, *patch); };
  return answer(view,
                writer_.update(view.resource, key_of(view, info, info.name), request.user,
                               {!info.subresource.empty(), *dry_run}, edit),
                200);
}

Response RestHandler::apply(const View& view, const Request& request, const RequestInfo& info, const json& patch) {
  if (request.parameter("fieldManager").empty()) {
    return answer_status(kube::bad_request(
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"));
  }
  const bool dry_run = request.parameter("dryRun") == "All";
  const auto edit = [&](const json& current) { return apply_patch(PatchType::apply, current, patch); };
  const Key key = key_of(view, info, info.name);
  // Another client may create or delete the object between the two steps: a few rounds settle that.
  for (int round = 0; round < 5; ++round) {
    Outcome updated = writer_.update(view.resource, key, request.user, {false, dry_run}, edit);
    if (updated || updated.error().code != 404) return answer(view, updated, 200);
    json object = patch;
    object["metadata"]["name"] = info.name;
    Outcome created = writer_.create(view.resource, info.namespace_, std::move(object), dry_run);
    if (created || created.error().reason != "AlreadyExists") return answer(view, created, 201);
  }
  return answer_status(kube::object_modified(view.resource.info().group, view.resource.info().plural, info.name));
}

Response RestHandler::remove(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_delete_options(request);
  if (!options) return answer_status(options.error());
  const auto deletion = writer_.remove(view.resource, key_of(view, info, info.name), *options);
  return deletion ? answer_deletion(view, *deletion) : answer_status(deletion.error());
}

Response RestHandler::remove_collection(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_delete_options(request);
  if (!options) return answer_status(options.error());
  const auto selection = read_selection(request, info, view.resource);
  if (!selection) return answer_status(selection.error());
  Store::Listing listing = store_.list(view.resource.qualified(), info.namespace_);
  std::erase_if(listing.objects, [&](const ObjectPtr& object) { return !selection->matches(*object); });
  for (const ObjectPtr& object : listing.objects) {
    const auto deletion = writer_.remove(view.resource, object->key, *options);
    if (!deletion && deletion.error().code != 404) return answer_status(deletion.error());
  }
  return answer_list(view, listing.objects, store_.version());
}

}  // namespace usbloop::apiserver
