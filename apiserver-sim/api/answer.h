#pragma once

#include <string>
#include <vector>

#include "apiserver-sim/api/http_types.h"
#include "apiserver-sim/api/negotiation.h"
#include "apiserver-sim/api/request_info.h"
#include "apiserver-sim/resources/resource.h"
#include "apiserver-sim/store/object.h"
#include "common/kube/status.h"

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
};
View make_view(const Request& request, const RequestInfo& info, const Resource& resource);

/// The object's text in the view's version.
std::string object_text(const View& view, const Object& object);

Response answer_object(const View& view, int code, const Object& object);
Response answer_list(const View& view, const std::vector<ObjectPtr>& objects, std::uint64_t list_version);

}  // namespace usbloop::apiserver
