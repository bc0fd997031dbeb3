#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/kube/status.h"
#include "kube-sim/objects/negotiation.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/resources/resource.h"
#include "kube-sim/store/object.h"

// Objects and refusals as answers, in the form and the version that the client asked for.
namespace usbloop::apiserver {

Response answer_status(const kube::Status& status);
Response answer_json(int code, std::string body);

/// How one request wants its objects.
struct View {
  const Resource& resource;
  std::string version;  ///< of the API in the request's path
  Representation representation;
  std::string include_object;  ///< query parameter
  bool pretty = false;         ///< query parameter: indented
  ResourcePtr kept = nullptr;  ///< the resource, when the view may outlive the request
};
View make_view(const Request& request, const RequestInfo& info, const Resource& resource);

/// The object's text in the view's version.
std::string object_text(const View& view, const Object& object);

/// The object as it goes into a watch: its text, or its metadata when the view asks for no more.
std::string item_text(const View& view, const Object& object);

Response answer_object(const View& view, int code, const Object& object);

/// metadata of a list.
struct ListMeta {
  std::uint64_t version = 0;
  std::string continue_;                              ///< empty: the list is whole
  std::optional<std::uint64_t> remaining_item_count;  ///< only with continue_
};
Response answer_list(const View& view, const std::vector<ObjectPtr>& objects, const ListMeta& meta);

}  // namespace usbloop::apiserver
