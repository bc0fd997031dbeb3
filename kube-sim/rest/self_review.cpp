#include "kube-sim/rest/self_review.h"

#include <nlohmann/json.hpp>

#include "kube-sim/objects/answer.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr const char* kAuthorization = "authorization.k8s.io";
constexpr const char* kAuthentication = "authentication.k8s.io";

std::string kind_of(const std::string& resource) {
  if (resource == "selfsubjectaccessreviews") return "SelfSubjectAccessReview";
  if (resource == "selfsubjectrulesreviews") return "SelfSubjectRulesReview";
  if (resource == "subjectaccessreviews") return "SubjectAccessReview";
  if (resource == "localsubjectaccessreviews") return "LocalSubjectAccessReview";
  return "SelfSubjectReview";
}

std::vector<std::string> strings_of(const json* list) {
  std::vector<std::string> strings;
  if (list == nullptr || !list->is_array()) return strings;
  for (const json& item : *list) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

/// What is wrong with the spec of an access review, in the words of kube-apiserver.
std::optional<kube::Status> refuse_spec(const std::string& kind, const json& review) {
  const bool resource = element_at(review, "/spec/resourceAttributes") != nullptr;
  const bool path = element_at(review, "/spec/nonResourceAttributes") != nullptr;
  Causes causes;
  if (resource == path) {
    const char* field = resource ? "spec.nonResourceAttributes" : "spec.resourceAttributes";
    const char* why = resource ? "cannot be specified in combination with resourceAttributes"
                               : "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    causes.push_back({"FieldValueInvalid", std::string("Invalid value: \"null\": ") + why, field});
  }
  const bool about_others = kind != "SelfSubjectAccessReview";
  if (about_others && text_at(review, "/spec/user").empty() && strings_of(element_at(review, "/spec/groups")).empty()) {
    causes.push_back(
        {"FieldValueInvalid", "Invalid value: \"\": at least one of user or group must be specified", "spec.user"});
  }
  if (kind == "LocalSubjectAccessReview" && path) {
    causes.push_back({"FieldValueInvalid", "Invalid value: \"null\": disallowed on this kind of request",
                      "spec.nonResourceAttributes"});
  }
  if (causes.empty()) return std::nullopt;
  return kube::invalid(kAuthorization, kind, "", std::move(causes));
}

Attributes read_attributes(const json& review) {
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
  return attributes;
}

tl::expected<json, kube::Status> access_review_status(const std::string& kind, const json& review, User user,
                                                      const RequestInfo& info, const RbacAuthorizer& authorizer) {
  if (auto refused = refuse_spec(kind, review)) return tl::unexpected(*refused);
  const Attributes attributes = read_attributes(review);
  if (kind == "LocalSubjectAccessReview" && attributes.namespace_ != info.namespace_) {
    return tl::unexpected(
        kube::bad_request("spec.resourceAttributes.namespace must match namespace: " + info.namespace_));
  }
  if (kind != "SelfSubjectAccessReview") {
    user = {text_at(review, "/spec/user"), text_at(review, "/spec/uid"),
            strings_of(element_at(review, "/spec/groups"))};
  }
  const Decision decision = authorizer.authorize(user, attributes);
  json status = {{"allowed", decision.allowed}};
  if (!decision.reason.empty()) status["reason"] = decision.reason;
  return status;
}

tl::expected<json, kube::Status> rules_review_status(const json& review, const User& user,
                                                     const RbacAuthorizer& authorizer) {
  const std::string namespace_ = text_at(review, "/spec/namespace");
  if (namespace_.empty()) return tl::unexpected(kube::bad_request("no namespace on request"));
  json status = {{"resourceRules", json::array()}, {"nonResourceRules", json::array()}, {"incomplete", false}};
  for (const PolicyRule& rule : authorizer.rules_for(user, namespace_)) {
    status[rule.urls.empty() ? "resourceRules" : "nonResourceRules"].push_back(to_json(rule));
  }
  return status;
}

json user_info(const User& user) {
  json info = {{"username", user.name}, {"groups", user.groups}};
  if (!user.uid.empty()) info["uid"] = user.uid;
  if (!user.extra.empty()) info["extra"] = user.extra;
  return info;
}

}  // namespace

bool is_review(const RequestInfo& info) {
  if (info.verb != "create" || !info.name.empty() || !info.subresource.empty()) return false;
  if (info.resource == "localsubjectaccessreviews") {
    return info.group == kAuthorization && info.version == "v1" && !info.namespace_.empty();
  }
  if (!info.namespace_.empty()) return false;
  if (info.group == kAuthentication) {
    return (info.version == "v1" || info.version == "v1beta1") && info.resource == "selfsubjectreviews";
  }
  return info.group == kAuthorization && info.version == "v1" &&
         (info.resource == "selfsubjectaccessreviews" || info.resource == "selfsubjectrulesreviews" ||
          info.resource == "subjectaccessreviews");
}

Response answer_review(const Request& request, const RequestInfo& info, const RbacAuthorizer& authorizer,
                       const SchemaSet& schemas) {
  const auto review = decode_object(request.content_type, request.body, schemas);
  if (!review) return answer_status(review.error());
  const std::string kind = kind_of(info.resource);
  tl::expected<json, kube::Status> status;
  if (kind == "SelfSubjectReview") {
    (*status)["userInfo"] = user_info(request.user);
  } else if (kind == "SelfSubjectRulesReview") {
    status = rules_review_status(*review, request.user, authorizer);
  } else {
    status = access_review_status(kind, *review, request.user, info, authorizer);
  }
  if (!status) return answer_status(status.error());
  nlohmann::ordered_json answer = {
      {"kind", kind}, {"apiVersion", info.group + "/" + info.version}, {"metadata", {{"creationTimestamp", nullptr}}}};
  if (kind == "SelfSubjectRulesReview") {
    answer["spec"] = json::object();
  } else if (review->contains("spec")) {
    answer["spec"] = (*review)["spec"];
  }
  answer["status"] = *status;
  return answer_json(201, answer.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace usbloop::apiserver
