#include "kube-sim/resources/signing_request.h"

#include <algorithm>

#include "common/kube/encoding.h"
#include "common/timestamp.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

/// Conditions that are an answer: true, or not there.
bool is_answer(const std::string& type) { return type == "Approved" || type == "Denied" || type == "Failed"; }

/// Those that the subresource approval writes.
bool is_approval(const json& condition) {
  const std::string type = text_at(condition, "/type");
  return type == "Approved" || type == "Denied";
}

/// The status' conditions; empty where there are none or they are no list.
json conditions_of(const json& object) {
  const json* found = element_at(object, "/status/conditions");
  return found != nullptr && found->is_array() ? *found : json::array();
}

bool has_type(const json& conditions, const std::string& type) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const json& one) { return text_at(one, "/type") == type; });
}

/// Gives the conditions their times, if they are conditions: a status that stays keeps its own.
void add_times(json& object, const json& current) {
  const json before = conditions_of(current);
  const std::string now = format_time(now_seconds());
  if (!object["status"].is_object() || !object["status"]["conditions"].is_array()) return;
  for (json& condition : object["status"]["conditions"]) {
    if (!condition.is_object()) continue;
    if (text_at(condition, "/lastUpdateTime").empty()) condition["lastUpdateTime"] = now;
    if (!text_at(condition, "/lastTransitionTime").empty()) continue;
    const auto same = std::find_if(before.begin(), before.end(), [&](const json& old) {
      return text_at(old, "/type") == text_at(condition, "/type") &&
             text_at(old, "/status") == text_at(condition, "/status");
    });
    const std::string kept = same == before.end() ? std::string() : text_at(*same, "/lastTransitionTime");
    condition["lastTransitionTime"] = kept.empty() ? now : kept;
  }
}

void check_conditions(const json& conditions, Causes& causes) {
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const std::string path = "status.conditions[" + std::to_string(i) + "]";
    const std::string type = text_at(conditions[i], "/type");
    const std::string status = text_at(conditions[i], "/status");
    if (is_answer(type) && status != "True") {
      causes.push_back(field::not_supported(path + ".status", field::quoted(status), {"True"}));
    }
    const bool other = (type == "Approved" && has_type(conditions, "Denied")) ||
                       (type == "Denied" && has_type(conditions, "Approved"));
    if (other) {
      causes.push_back(field::invalid(path + ".type", type, "Approved and Denied conditions are mutually exclusive"));
    }
  }
}

}  // namespace

SigningRequestResource::SigningRequestResource() : Resource("certificates.k8s.io/v1", "CertificateSigningRequest") {}

void SigningRequestResource::note_creator(json& object, const User& user) const {
  json& spec = object["spec"];
  for (const char* name : {"username", "uid", "groups", "extra"}) spec.erase(name);
  spec["username"] = user.name;
  if (!user.uid.empty()) spec["uid"] = user.uid;
  if (!user.groups.empty()) spec["groups"] = user.groups;
}

void SigningRequestResource::prepare_update(json& object, const json& current, bool status_only) const {
  Resource::prepare_update(object, current, status_only);
  object["spec"] = current["spec"];
  if (!status_only) return;
  // What this writer says of the answer does not count, whether it left it out or changed it.
  const json before = conditions_of(current);
  json kept = json::array();
  for (const json& condition : before) {
    if (is_approval(condition)) kept.push_back(condition);
  }
  for (const json& condition : conditions_of(object)) {
    const bool known = is_approval(condition) && has_type(before, text_at(condition, "/type"));
    if (!known) kept.push_back(condition);
  }
  const json* given = element_at(object, "/status/conditions");
  const bool is_list = given == nullptr || given->is_array();
  if (is_list && (given != nullptr || !kept.empty())) object["status"]["conditions"] = std::move(kept);
  add_times(object, current);
}

void SigningRequestResource::prepare_approval(json& object, const json& current) const {
  const json* given = element_at(object, "/status/conditions");
  const json conditions = given == nullptr ? json() : *given;
  Resource::prepare_update(object, current, true);
  object["spec"] = current["spec"];
  object["status"] = current.value("status", json::object());
  object["status"].erase("conditions");
  if (!conditions.is_null()) object["status"]["conditions"] = conditions;
  add_times(object, current);
}

Causes SigningRequestResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (!causes.empty()) return causes;
  const json& spec = object["spec"];
  const auto request = kube::base64_decode(text_at(spec, "/request"));
  if (!request || request->find("-----BEGIN CERTIFICATE REQUEST-----") == std::string::npos) {
    causes.push_back(field::invalid("spec.request", spec["request"], "PEM block type must be CERTIFICATE REQUEST"));
  }
  const std::string signer = text_at(spec, "/signerName");
  if (signer.find('/') == std::string::npos) {
    causes.push_back(
        field::invalid("spec.signerName", signer,
                       "must be a fully qualified domain and path of the form \"example.com/signer-name\""));
  }
  const json* seconds = element_at(spec, "/expirationSeconds");
  if (seconds != nullptr && int64_of(*seconds, 0) < 600) {
    causes.push_back(field::invalid("spec.expirationSeconds", *seconds,
                                    "may not specify a duration less than 600 seconds (10 minutes)"));
  }
  check_conditions(conditions_of(object), causes);
  return causes;
}

Causes SigningRequestResource::status_faults(const json& object, const json& current) const {
  Causes causes;
  for (const char* type : {"Approved", "Denied"}) {
    if (has_type(conditions_of(object), type) && !has_type(conditions_of(current), type)) {
      causes.push_back(
          field::forbidden("status.conditions", "updates may not add a condition of type " + field::quoted(type)));
    }
  }
  return causes;
}

std::optional<kube::Status> SigningRequestResource::refuse_update(const json& object, const json& current,
                                                                  const User&) const {
  Causes causes;
  const json before = conditions_of(current);
  const json after = conditions_of(object);
  for (const char* type : {"Approved", "Denied", "Failed"}) {
    if (has_type(before, type) && !has_type(after, type)) {
      causes.push_back(
          field::forbidden("status.conditions", "updates may not remove a condition of type " + field::quoted(type)));
    }
  }
  if (causes.empty()) return std::nullopt;
  return kube::invalid(info().group, info().kind, text_at(current, "/metadata/name"), std::move(causes));
}

}  // namespace usbloop::apiserver
