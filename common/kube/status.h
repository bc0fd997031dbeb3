#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Status objects (meta.k8s.io/v1): how a Kubernetes API server says no, and in a few places yes. wire.md sections
// 11, 12.
namespace usbloop::kube {

/// One reason why an object was refused.
struct StatusCause {
  std::string reason;   ///< "FieldValueRequired", "FieldValueInvalid", …; may be empty
  std::string message;  ///< "Required value"
  std::string field;    ///< "spec.domain"; may be empty
  bool operator==(const StatusCause&) const = default;
};

/// A Status. Value type; build it with the functions below.
struct Status {
  int code = 500;  ///< HTTP status
  bool success = false;
  std::string reason;  ///< "NotFound", "Conflict", …
  std::string message;
  std::string details_name;  ///< the details object is left out when all of its fields are empty
  std::string details_group;
  std::string details_kind;
  std::string details_uid;
  std::vector<StatusCause> causes;
  int retry_after_seconds = 0;  ///< 0: absent
  std::string continue_token;   ///< metadata.continue, of an expired list that can be gone on with; may be empty
};

/// The object with its fields in the order in which the real servers print them.
nlohmann::ordered_json to_json(const Status& status);
/// One line, as kube-apiserver answers. Invalid UTF-8 in the texts is replaced.
std::string body(const Status& status);
/// Indented by one space, as virt-api answers.
std::string body_indented(const Status& status);

/// Reads a Status from a response's body; nothing when the text is no JSON object of kind Status.
std::optional<Status> parse_status(std::string_view text);

/// "virtualmachineinstances.kubevirt.io", or "nodes" in the core group.
std::string qualified_resource(std::string_view group, std::string_view resource);

// kube-apiserver's own refusals, in its words. `resource` is the plural, `kind` the object's kind.

Status unauthorized();
Status bad_request(std::string message);
Status not_found(std::string_view group, std::string_view resource, std::string_view name);
Status already_exists(std::string_view group, std::string_view resource, std::string_view name);
/// Optimistic locking failed.
Status object_modified(std::string_view group, std::string_view resource, std::string_view name);
/// Any other conflict; `cause` follows `Operation cannot be fulfilled on RESOURCE "NAME": `.
Status conflict(std::string_view group, std::string_view resource, std::string_view name, std::string_view cause);
/// 422 with the causes, and a message that lists them.
Status invalid(std::string_view group, std::string_view kind, std::string_view name, std::vector<StatusCause> causes);
Status method_not_allowed();
Status unsupported_media_type(const std::vector<std::string_view>& accepted);
Status not_acceptable(const std::vector<std::string_view>& available);
Status request_entity_too_large(std::size_t limit_bytes);
Status request_header_too_large();
Status too_many_requests(int retry_after_seconds);
Status request_timeout(std::string message);
/// A watch asks for a version that the history no longer holds.
Status expired(std::string message);
/// `Internal error occurred: CAUSE`.
Status internal_error(const std::string& cause);
Status service_unavailable(std::string message);
/// `message` is the whole text; the details name the object.
Status forbidden(std::string_view group, std::string_view resource, std::string_view name, std::string message);
/// What DELETE answers when the object is gone.
Status deleted(std::string_view group, std::string_view resource, std::string_view name, std::string_view uid);

}  // namespace usbloop::kube
