#include "common/kube/status.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "common/json_text.h"

namespace usbloop::kube {
namespace {

using nlohmann::ordered_json;

void put_if_any(ordered_json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

ordered_json details_json(const Status& status) {
  ordered_json details = ordered_json::object();
  put_if_any(details, "name", status.details_name);
  put_if_any(details, "group", status.details_group);
  put_if_any(details, "kind", status.details_kind);
  put_if_any(details, "uid", status.details_uid);
  for (const StatusCause& cause : status.causes) {
    ordered_json entry = ordered_json::object();
    put_if_any(entry, "reason", cause.reason);
    put_if_any(entry, "message", cause.message);
    put_if_any(entry, "field", cause.field);
    details["causes"].push_back(std::move(entry));
  }
  if (status.retry_after_seconds > 0) details["retryAfterSeconds"] = status.retry_after_seconds;
  return details;
}

Status refusal(int code, std::string reason, std::string message) {
  Status status;
  status.code = code;
  status.reason = std::move(reason);
  status.message = std::move(message);
  return status;
}

Status refusal_of(int code, std::string reason, std::string message, std::string_view group, std::string_view kind,
                  std::string_view name) {
  Status status = refusal(code, std::move(reason), std::move(message));
  status.details_group = group;
  status.details_kind = kind;
  status.details_name = name;
  return status;
}

std::string quoted_object(std::string_view group, std::string_view resource, std::string_view name) {
  return qualified_resource(group, resource) + " \"" + std::string(name) + "\"";
}

std::string joined(const std::vector<std::string_view>& items) {
  std::string text;
  for (const std::string_view item : items) {
    if (!text.empty()) text += ", ";
    text += item;
  }
  return text;
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int integer_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int>() : 0;
}

void read_details(const nlohmann::json& details, Status& status) {
  status.details_name = text_at(details, "name");
  status.details_group = text_at(details, "group");
  status.details_kind = text_at(details, "kind");
  status.details_uid = text_at(details, "uid");
  status.retry_after_seconds = integer_at(details, "retryAfterSeconds");
  const auto causes = details.find("causes");
  if (causes == details.end() || !causes->is_array()) return;
  for (const nlohmann::json& cause : *causes) {
    if (!cause.is_object()) continue;
    status.causes.push_back({text_at(cause, "reason"), text_at(cause, "message"), text_at(cause, "field")});
  }
}

}  // namespace

ordered_json to_json(const Status& status) {
  ordered_json json = {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", ordered_json::object()}};
  put_if_any(json["metadata"], "continue", status.continue_token);
  json["status"] = status.success ? "Success" : "Failure";
  put_if_any(json, "message", status.message);
  put_if_any(json, "reason", status.reason);
  ordered_json details = details_json(status);
  if (!details.empty()) json["details"] = std::move(details);
  // A success answer of kube-apiserver carries no code.
  if (!status.success) json["code"] = status.code;
  return json;
}

std::string body(const Status& status) {
  return to_json(status).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string body_indented(const Status& status) {
  return to_json(status).dump(1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<Status> parse_status(std::string_view text) {
  const auto object = parse_json_object(text);
  if (!object || text_at(*object, "kind") != "Status") return std::nullopt;
  const nlohmann::json& json = *object;
  Status status;
  status.success = text_at(json, "status") == "Success";
  status.code = integer_at(json, "code");
  status.reason = text_at(json, "reason");
  status.message = text_at(json, "message");
  const auto details = json.find("details");
  if (details != json.end() && details->is_object()) read_details(*details, status);
  return status;
}

std::string qualified_resource(std::string_view group, std::string_view resource) {
  std::string text(resource);
  if (!group.empty()) text.append(".").append(group);
  return text;
}

Status unauthorized() { return refusal(401, "Unauthorized", "Unauthorized"); }

Status bad_request(std::string message) { return refusal(400, "BadRequest", std::move(message)); }

Status not_found(std::string_view group, std::string_view resource, std::string_view name) {
  return refusal_of(404, "NotFound", quoted_object(group, resource, name) + " not found", group, resource, name);
}

Status already_exists(std::string_view group, std::string_view resource, std::string_view name) {
  return refusal_of(409, "AlreadyExists", quoted_object(group, resource, name) + " already exists", group, resource,
                    name);
}

Status object_modified(std::string_view group, std::string_view resource, std::string_view name) {
  return conflict(group, resource, name,
                  "the object has been modified; please apply your changes to the latest version and try again");
}

Status conflict(std::string_view group, std::string_view resource, std::string_view name, std::string_view cause) {
  return refusal_of(
      409, "Conflict",
      "Operation cannot be fulfilled on " + quoted_object(group, resource, name) + ": " + std::string(cause), group,
      resource, name);
}

Status invalid(std::string_view group, std::string_view kind, std::string_view name, std::vector<StatusCause> causes) {
  std::string list;
  for (const StatusCause& cause : causes) {
    if (!list.empty()) list += ", ";
    list += cause.field.empty() ? cause.message : cause.field + ": " + cause.message;
  }
  if (causes.size() > 1) list = "[" + list + "]";
  Status status =
      refusal_of(422, "Invalid", quoted_object(group, kind, name) + " is invalid: " + list, group, kind, name);
  status.causes = std::move(causes);
  return status;
}

Status method_not_allowed() {
  return refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

Status unsupported_media_type(const std::vector<std::string_view>& accepted) {
  return refusal(
      415, "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: " + joined(accepted));
}

Status not_acceptable(const std::vector<std::string_view>& available) {
  return refusal(406, "NotAcceptable", "only the following media types are accepted: " + joined(available));
}

Status request_entity_too_large(std::size_t limit_bytes) {
  return refusal(413, "RequestEntityTooLarge", "Request entity too large: limit is " + std::to_string(limit_bytes));
}

Status request_header_too_large() {
  return refusal(431, "RequestHeaderFieldsTooLarge", "Request header fields too large");
}

Status too_many_requests(int retry_after_seconds) {
  Status status = refusal(429, "TooManyRequests", "Too many requests, please try again later.");
  status.retry_after_seconds = retry_after_seconds;
  return status;
}

Status request_timeout(std::string message) { return refusal(408, "Timeout", std::move(message)); }

Status expired(std::string message) { return refusal(410, "Expired", std::move(message)); }

Status internal_error(const std::string& cause) {
  Status status = refusal(500, "InternalError", "Internal error occurred: " + cause);
  status.causes.push_back({"", cause, ""});
  return status;
}

Status service_unavailable(std::string message) { return refusal(503, "ServiceUnavailable", std::move(message)); }

Status forbidden(std::string_view group, std::string_view resource, std::string_view name, std::string message) {
  return refusal_of(403, "Forbidden", std::move(message), group, resource, name);
}

Status deleted(std::string_view group, std::string_view resource, std::string_view name, std::string_view uid) {
  Status status = refusal_of(200, "", "", group, resource, name);
  status.success = true;
  status.details_uid = uid;
  return status;
}

}  // namespace usbloop::kube
