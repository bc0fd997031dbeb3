#include "apiserver-sim/api/api_handler.h"

#include <exception>
#include <string_view>

#include "apiserver-sim/api/discovery.h"
#include "apiserver-sim/api/self_review.h"
#include "apiserver-sim/subresource/subresource_table.h"
#include "common/log.h"

namespace usbloop::apiserver {
namespace {

Response plain(int code, std::string body) { return {code, "text/plain; charset=utf-8", std::move(body), {}}; }

Response page_not_found() { return plain(404, "404 page not found\n"); }

}  // namespace

std::optional<kube::Status> refuse_unauthorized(const Authorizer& authorizer, const User& user,
                                                const RequestInfo& info) {
  const Attributes attributes = attributes_of(info);
  if (authorizer.allows(user, attributes)) return std::nullopt;
  if (!user.in_group("system:authenticated")) return kube::unauthorized();
  return forbidden_status(user, attributes);
}

ApiHandler::ApiHandler(const Registry& registry, Store& store, const Authorizer& authorizer)
    : registry_(registry),
      store_(store),
      authorizer_(authorizer),
      openapi_(registry),
      rest_(registry, store, authorizer) {
  // The real server's store is etcd, and those who ask know the check by that name.
  health_.add({"etcd", [&store] { return store.check(); }});
  health_.add({"shutdown",
               [this]() -> Result<> {
                 if (ready_) return {};
                 return make_error(ErrorKind::unavailable, "serve", "", "process is shutting down");
               },
               true});
}

Response ApiHandler::handle(const Request& request) {
  try {
    return dispatch(request);
  } catch (const nlohmann::json::exception& error) {
    // A shape that no check foresaw: the client's object is at fault, not the server.
    spdlog::warn("{} {}: {}", request.method, request.path, error.what());
    return answer_status(kube::bad_request(std::string("the object cannot be read: ") + error.what()));
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, request.path, error.what());
    return answer_status(kube::internal_error(error.what()));
  }
}

Response ApiHandler::dispatch(const Request& request) {
  const RequestInfo info = read_request_info(request);
  if (auto refused = refuse_unauthorized(authorizer_, request.user, info)) {
    spdlog::info("{} {} by {}: {}", request.method, request.path, request.user.name, refused->message);
    return answer_status(*refused);
  }
  const bool reading = request.method == "GET" || request.method == "HEAD";
  if (reading) {
    if (auto health = health_.answer(request)) return std::move(*health);
  }
  if (reading && request.path == "/metrics" && metrics_page_) {
    return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_page_(), {}};
  }
  if (reading) {
    if (auto response = answer_discovery(registry_, request)) return std::move(*response);
    if (auto response = openapi_.answer(request)) return std::move(*response);
  }
  if (!info.is_resource) return page_not_found();
  if (info.group == kSubresourceGroup) return answer_subresource(registry_, store_, request, info);
  if (is_self_review(info)) return self_review(request, info, authorizer_);
  return rest_.handle(request, info);
}

}  // namespace usbloop::apiserver
