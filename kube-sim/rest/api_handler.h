#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "kube-sim/documents/health.h"
#include "kube-sim/documents/openapi.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/rest/rest_handler.h"
#include "kube-sim/security/rbac_authorizer.h"

namespace usbloop::apiserver {

/// Everything that is answered with one response: objects, discovery, reviews, health. Whether the user may ask has
/// been decided before; watches and upgrades are not its business. Thread-safe; never throws.
class ApiHandler {
 public:
  /// All must outlive the handler; `admission` may be null: then whoever may write may write anything.
  ApiHandler(const Registry& registry, Store& store, const RbacAuthorizer& authorizer, const Admission* admission);

  /// Answers a request that has been authorized; `info` is what it is about (read_request_info).
  Response handle(const Request& request, const RequestInfo& info);

  /// While false, /readyz fails.
  void set_ready(bool ready) { ready_ = ready; }
  /// Call before the first request.
  void make_tokens_with(const ServiceAccountTokens& tokens) { rest_.make_tokens_with(tokens); }
  /// What /metrics answers with. Call before the first request.
  void serve_metrics(std::function<std::string()> page) { metrics_page_ = std::move(page); }

 private:
  Response dispatch(const Request& request, const RequestInfo& info);
  /// Health, metrics, discovery, OpenAPI.
  std::optional<Response> find_document(const Request& request);

  const Registry& registry_;
  Store& store_;
  const RbacAuthorizer& authorizer_;
  OpenApi openapi_;
  RestHandler rest_;
  Health health_;
  std::function<std::string()> metrics_page_;
  std::atomic<bool> ready_ = true;
};

/// The refusal of a request that the user may not make; nothing when it is allowed.
std::optional<kube::Status> refuse_unauthorized(const Authorizer& authorizer, const User& user,
                                                const RequestInfo& info);

}  // namespace usbloop::apiserver
