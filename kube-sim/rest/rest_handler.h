#pragma once

#include "kube-sim/objects/answer.h"
#include "kube-sim/objects/object_writer.h"
#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/resources/registry.h"
#include "kube-sim/rest/request_options.h"
#include "kube-sim/rest/selectors.h"
#include "kube-sim/security/authorizer.h"
#include "kube-sim/security/service_account_tokens.h"

namespace usbloop::apiserver {

/// The verbs on stored objects, except watch. The request has been authorized. Thread-safe.
class RestHandler {
 public:
  RestHandler(const Registry& registry, Store& store, const Authorizer& authorizer, const Admission* admission)
      : registry_(registry), store_(store), authorizer_(authorizer), writer_(store, admission) {}

  Response handle(const Request& request, const RequestInfo& info);

  /// Who makes tokens of service accounts; without it there are none. Call before the first request.
  void make_tokens_with(const ServiceAccountTokens& tokens) { tokens_ = &tokens; }

 private:
  static Key key_of(const View& view, const RequestInfo& info);
  Response get(const View& view, const Request& request, const RequestInfo& info) const;
  Response list(const View& view, const Request& request, const RequestInfo& info) const;
  Response create(const View& view, const Request& request, const RequestInfo& info);
  Response update(const View& view, const Request& request, const RequestInfo& info);
  Response patch(const View& view, const Request& request, const RequestInfo& info);
  Response apply(const View& view, const Request& request, const RequestInfo& info, const WriteOptions& options,
                 const nlohmann::json& patch);
  std::optional<kube::Status> refuse_creation(const Request& request, RequestInfo info) const;
  std::optional<kube::Status> refuse_approver(const Request& request, const RequestInfo& info,
                                              const nlohmann::json& current) const;
  Response scale(const View& view, const Request& request, const RequestInfo& info);
  Response make_token(const View& view, const Request& request, const RequestInfo& info) const;
  /// Takes one disruption from the budget that covers the pod; or why there is none.
  std::optional<kube::Status> spend_budget(const nlohmann::json& pod, const std::string& namespace_, bool dry_run);
  Response evict(const View& view, const Request& request, const RequestInfo& info);
  Response remove(const View& view, const Request& request, const RequestInfo& info);
  static Response answer_deletion(const View& view, const ObjectWriter::Deletion& deletion);
  Response remove_collection(const View& view, const Request& request, const RequestInfo& info);
  Response answer(const View& view, const Outcome& outcome, int code) const;

  const Registry& registry_;
  Store& store_;
  const Authorizer& authorizer_;
  ObjectWriter writer_;
  const ServiceAccountTokens* tokens_ = nullptr;
};

/// Label and field selector of a list or watch; 400 for broken ones and for fields that the resource does not select
/// by.
tl::expected<Selection, kube::Status> read_selection(const Request& request, const RequestInfo& info,
                                                     const Resource& resource);

}  // namespace usbloop::apiserver
