#include "kube-sim/rest/rest_handler.h"

#include <algorithm>

#include "kube-sim/rest/list_page.h"
#include "kube-sim/rest/request_options.h"
#include "kube-sim/rest/routes.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {

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
    if (known) continue;
    // Kinds with no fields of their own have the text of those who wrote none.
    const bool plain = names.empty() && !resource.info().custom();
    return tl::unexpected(
        kube::bad_request(plain ? field::quoted(requirement.key) +
                                      " is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                                : "field label not supported: " + requirement.key));
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
  const ResourcePtr resource = registry_.find(info.group, info.version, info.resource);
  if (auto refused = refuse_route(resource.get(), request, info)) return std::move(*refused);
  const View view = make_view(request, info, *resource);
  if (!view.representation.acceptable) {
    return answer_status(kube::not_acceptable(served_types()));
  }
  if (info.subresource == "scale") return scale(view, request, info);
  if (info.subresource == "token") return make_token(view, request, info);
  if (info.subresource == "eviction") return evict(view, request, info);
  if (info.verb == "get") return get(view, request, info);
  if (info.verb == "list") return list(view, request, info);
  if (info.verb == "create") return create(view, request, info);
  if (info.verb == "update") return update(view, request, info);
  if (info.verb == "patch") return patch(view, request, info);
  if (info.verb == "delete") return remove(view, request, info);
  if (info.verb == "deletecollection") return remove_collection(view, request, info);
  return answer_status(kube::method_not_allowed());  // a watch without a connection of its own: HEAD
}

Key RestHandler::key_of(const View& view, const RequestInfo& info) {
  return {view.resource.qualified(), view.resource.info().namespaced ? info.namespace_ : std::string(), info.name};
}

Response RestHandler::answer(const View& view, const Outcome& outcome, int code) const {
  return outcome ? answer_object(view, code, **outcome) : answer_status(outcome.error());
}

Response RestHandler::get(const View& view, const Request& request, const RequestInfo& info) const {
  // One object is always shown as it is; a version given says only how new it has to be at least.
  const auto options = read_list_options(request);
  if (!options) return answer_status(options.error());
  const std::uint64_t current = store_.version();
  if (options->version > current) return answer_status(version_too_large(options->version, current));
  const ObjectPtr object = store_.get(key_of(view, info));
  if (object) return answer_object(view, 200, *object);
  return answer_status(kube::not_found(view.resource.info().group, view.resource.info().plural, info.name));
}

Response RestHandler::list(const View& view, const Request& request, const RequestInfo& info) const {
  const auto options = read_list_options(request);
  if (!options) return answer_status(options.error());
  const auto selection = read_selection(request, info, view.resource);
  if (!selection) return answer_status(selection.error());
  const auto page = list_page(store_, view.resource, info.namespace_, *options, *selection);
  return page ? answer_list(view, page->objects, page->meta) : answer_status(page.error());
}

}  // namespace usbloop::apiserver
