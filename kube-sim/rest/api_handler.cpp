#include "kube-sim/rest/api_handler.h"

#include <exception>
#include <new>
#include <string_view>

#include "common/log.h"
#include "kube-sim/documents/discovery.h"
#include "kube-sim/rest/self_review.h"

namespace usbloop::apiserver {
namespace {

Response plain(int code, std::string body) { return {code, "text/plain; charset=utf-8", std::move(body), {}}; }

Response page_not_found() { return plain(404, "404 page not found\n"); }

}  // namespace

std::optional<kube::Status> refuse_unauthorized(const Authorizer& authorizer, const User& user,
                                                const RequestInfo& info) {
  const Attributes attributes = attributes_of(info);
  const Decision decision = authorizer.authorize(user, attributes);
  if (decision.allowed) return std::nullopt;
  return forbidden_status(user, attributes, decision.reason);
}

ApiHandler::ApiHandler(const Registry& registry, Store& store, const RbacAuthorizer& authorizer,
                       const Admission* admission)
    : registry_(registry),
      store_(store),
      authorizer_(authorizer),
      openapi_(registry),
      rest_(registry, store, authorizer, admission) {
  // The real server's store is etcd, and those who ask know the check by that name.
  health_.add({"etcd", [&store] { return store.check(); }});
  health_.add({"shutdown",
               [this]() -> Result<> {
                 if (ready_) return {};
                 return make_error(ErrorKind::unavailable, "serve", "", "process is shutting down");
               },
               true});
}

Response ApiHandler::handle(const Request& request, const RequestInfo& info) {
  try {
    return dispatch(request, info);
  } catch (const std::bad_alloc&) {
    spdlog::warn("{} {}: out of memory", request.method, request.path);
    return answer_status(kube::too_many_requests(1));
  } catch (const nlohmann::json::exception& error) {
    // A shape that no check foresaw: the client's object is at fault, not the server.
    spdlog::warn("{} {}: {}", request.method, request.path, error.what());
    return answer_status(kube::bad_request(std::string("the object cannot be read: ") + error.what()));
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, request.path, error.what());
    return answer_status(kube::internal_error(error.what()));
  }
}

Response ApiHandler::dispatch(const Request& request, const RequestInfo& info) {
  // Stored objects are asked for most of the time: they are no document, whose list is long.
  const bool reading = request.method == "GET" || request.method == "HEAD";
  if (reading && !info.is_resource) {
    if (auto document = find_document(request)) return std::move(*document);
  }
  if (!info.is_resource) return page_not_found();
  if (const AggregatedApi* api = registry_.aggregated(info.group)) return api->answer(registry_, store_, request, info);
  if (is_review(info)) return answer_review(request, info, authorizer_, registry_.schemas());
  return rest_.handle(request, info);
}

std::optional<Response> ApiHandler::find_document(const Request& request) {
  if (auto health = health_.answer(request)) return health;
  if (request.path == "/metrics" && metrics_page_) {
    return Response{200, "text/plain; version=0.0.4; charset=utf-8", metrics_page_(), {}};
  }
  if (auto response = answer_discovery(registry_, request)) return response;
  return openapi_.answer(request);
}

}  // namespace usbloop::apiserver
