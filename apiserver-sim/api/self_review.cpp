#include "apiserver-sim/api/self_review.h"

#include <nlohmann/json.hpp>

#include "apiserver-sim/api/answer.h"
#include "apiserver-sim/api/codec.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

json access_review_status(const json& review, const User& user, const Authorizer& authorizer) {
  Attributes attributes;
  if (const json* wanted = element_at(review, "/spec/resourceAttributes")) {
    attributes.is_resource = true;
    attributes.verb = text_at(*wanted, "/verb");
    attributes.group = text_at(*wanted, "/group");
    attributes.resource = text_at(*wanted, "/resource");
    attributes.subresource = text_at(*wanted, "/subresource");
    attributes.namespace_ = text_at(*wanted, "/namespace");
    attributes.name = text_at(*wanted, "/name");
  } else {
    attributes.path = text_at(review, "/spec/nonResourceAttributes/path");
    attributes.verb = text_at(review, "/spec/nonResourceAttributes/verb");
  }
  const bool allowed = authorizer.allows(user, attributes);
  json status = {{"allowed", allowed}};
  if (!allowed) status["reason"] = "";
  return status;
}

/// What the fixed rules allow, as far as rule objects can say it.
json rules_review_status(const User& user) {
  json resource_rules = json::array();
  json path_rules = json::array();
  if (user.in_group("system:masters")) {
    resource_rules.push_back({{"verbs", {"*"}}, {"apiGroups", {"*"}}, {"resources", {"*"}}});
    path_rules.push_back({{"verbs", {"*"}}, {"nonResourceURLs", {"*"}}});
  } else {
    path_rules.push_back(
        {{"verbs", {"get"}}, {"nonResourceURLs", {"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/version"}}});
  }
  return {{"resourceRules", resource_rules},
          {"nonResourceRules", path_rules},
          {"incomplete", !user.in_group("system:masters")}};
}

}  // namespace

bool is_self_review(const RequestInfo& info) {
  return info.verb == "create" && info.name.empty() && info.namespace_.empty() &&
         ((info.group == "authorization.k8s.io" && info.version == "v1" &&
           (info.resource == "selfsubjectaccessreviews" || info.resource == "selfsubjectrulesreviews")) ||
          (info.group == "authentication.k8s.io" && (info.version == "v1" || info.version == "v1beta1") &&
           info.resource == "selfsubjectreviews"));
}

Response self_review(const Request& request, const RequestInfo& info, const Authorizer& authorizer) {
  auto review = decode_object(request.content_type, request.body);
  if (!review) return answer_status(review.error());
  json answer = {{"apiVersion", info.group + "/" + info.version}, {"metadata", json::object()}};
  if (review->contains("spec")) answer["spec"] = (*review)["spec"];
  if (info.resource == "selfsubjectaccessreviews") {
    answer["kind"] = "SelfSubjectAccessReview";
    answer["status"] = access_review_status(*review, request.user, authorizer);
  } else if (info.resource == "selfsubjectrulesreviews") {
    answer["kind"] = "SelfSubjectRulesReview";
    answer["status"] = rules_review_status(request.user);
  } else {
    answer["kind"] = "SelfSubjectReview";
    answer["status"] = {{"userInfo", {{"username", request.user.name}, {"groups", request.user.groups}}}};
    if (!request.user.uid.empty()) answer["status"]["userInfo"]["uid"] = request.user.uid;
  }
  return answer_json(201, answer.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace usbloop::apiserver
