#include "kube-sim/rest/list_page.h"
#include "kube-sim/rest/request_options.h"
#include "kube-sim/rest/rest_handler.h"

// delete and deletecollection of RestHandler.
namespace usbloop::apiserver {

Response RestHandler::answer_deletion(const View& view, const ObjectWriter::Deletion& deletion) {
  if (!deletion.gone) return answer_object(view, 200, *deletion.object);
  const ResourceInfo& info = view.resource.info();
  return answer_status(kube::deleted(info.group, info.plural, deletion.object->key.name, deletion.object->uid));
}

Response RestHandler::remove(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_delete_options(request, registry_.schemas());
  if (!options) return answer_status(options.error());
  const auto deletion = writer_.remove(view.resource, key_of(view, info), *options);
  return deletion ? answer_deletion(view, *deletion) : answer_status(deletion.error());
}

/// Deletes what a list with the same parameters shows, and answers that list.
Response RestHandler::remove_collection(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_delete_options(request, registry_.schemas());
  if (!options) return answer_status(options.error());
  const auto list_options = read_list_options(request);
  if (!list_options) return answer_status(list_options.error());
  const auto selection = read_selection(request, info, view.resource);
  if (!selection) return answer_status(selection.error());
  const auto page = list_page(store_, view.resource, info.namespace_, *list_options, *selection);
  if (!page) return answer_status(page.error());
  for (const ObjectPtr& object : page->objects) {
    const auto deletion = writer_.remove(view.resource, object->key, *options);
    if (!deletion && deletion.error().code != 404) return answer_status(deletion.error());
  }
  return answer_list(view, page->objects, page->meta);
}

}  // namespace usbloop::apiserver
