#include <algorithm>

#include "common/timestamp.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/managed_fields/field_manager.h"
#include "kube-sim/objects/object_meta.h"
#include "kube-sim/objects/patch.h"
#include "kube-sim/rest/api_handler.h"
#include "kube-sim/rest/field_validation.h"
#include "kube-sim/rest/rest_handler.h"
#include "kube-sim/schema/field_error.h"

// create, update and patch of RestHandler.
namespace usbloop::apiserver {
namespace {

using nlohmann::json;

WrittenBy written_by(const View& view, const Request& request, const WriteOptions& options, bool applied = false) {
  return {manager_of(options, request), view.resource.api_version(view.version), applied, request.user};
}

bool is_one_of(const std::string& text, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* entry) { return text == entry; });
}

/// Whether an update may come without a resourceVersion, and so overwrite whatever is there.
bool may_update_blindly(const ResourceInfo& info) {
  return info.group.empty() || info.group == "rbac.authorization.k8s.io";
}

/// Whether an update of an object that there is not creates it.
bool may_create_by_update(const ResourceInfo& info) {
  return is_one_of(info.plural, {"events", "leases", "roles", "rolebindings", "clusterroles", "clusterrolebindings"});
}

kube::Status version_required(const ResourceInfo& info, const std::string& name) {
  kube::StatusCause cause = field::invalid("metadata.resourceVersion", 0, "must be specified for an update");
  cause.message = "Invalid value: 0x0: must be specified for an update";  // as Go shows the number
  return kube::invalid(info.group, info.kind, name, {std::move(cause)});
}

bool writes_approval(const RequestInfo& info) { return info.subresource == "approval"; }

/// The configuration of an apply without what it cannot set: what the server writes alone, and the part of the object
/// that is written through the other endpoint.
json applicable(json configuration, const View& view, const RequestInfo& info) {
  json& metadata = configuration["metadata"];
  if (metadata.is_null()) metadata = json::object();
  if (!metadata.is_object()) return configuration;
  for (const char* name :
       {"creationTimestamp", "generation", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    metadata.erase(name);
  }
  if (!metadata.contains("name")) metadata["name"] = info.name;
  if (info.subresource.empty()) {
    if (view.resource.info().has_status) configuration.erase("status");
    return configuration;
  }
  json part = {{"apiVersion", configuration.value("apiVersion", json())},
               {"kind", configuration.value("kind", json())},
               {"metadata", {{"name", metadata["name"]}}}};
  // The approval is a part of the status.
  const std::string name = writes_approval(info) ? "status" : info.subresource;
  if (configuration.contains(name)) part[name] = configuration[name];
  return part;
}

/// The first bytes of a body, as kube-apiserver shows them: JSON as it is, all else in hexadecimal.
std::string summary_of(const std::string& body) {
  constexpr std::size_t kMost = 30;
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (body.empty()) return "<empty>";
  std::string text = body.substr(0, kMost);
  if (text.front() != '{') {
    std::string hex;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      hex.append({kDigits[byte >> 4U], kDigits[byte & 15U]});
    }
    text = std::move(hex);
  }
  return text + (body.size() > kMost ? " ..." : "");
}

tl::expected<json, kube::Status> decode_for(const View& view, const Request& request, const SchemaSet& schemas) {
  auto object = decode_object(request.content_type, request.body, schemas);
  if (object || !object.error().message.starts_with(kNoTypeInJson)) return object;
  return tl::unexpected(kube::bad_request("the object provided is unrecognized (must be of type " +
                                          view.resource.info().kind + "): " + object.error().message + " (" +
                                          summary_of(request.body) + ")"));
}

}  // namespace

Response RestHandler::create(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_write_options(request, "CreateOptions");
  if (!options) return answer_status(options.error());
  auto object = decode_for(view, request, registry_.schemas());
  if (!object) return answer_status(object.error());
  const FieldFaults faults(view, request.content_type, request.body, *object);
  if (auto refused = faults.refusal(options->validation)) return answer_status(*refused);
  Response response = answer(view,
                             writer_.create(view.resource, info.namespace_, std::move(*object), options->dry_run,
                                            written_by(view, request, *options)),
                             201);
  faults.warn(options->validation, response);
  return response;
}

Response RestHandler::update(const View& view, const Request& request, const RequestInfo& info) {
  const auto options = read_write_options(request, "UpdateOptions");
  if (!options) return answer_status(options.error());
  auto object = decode_for(view, request, registry_.schemas());
  if (!object) return answer_status(object.error());
  const FieldFaults faults(view, request.content_type, request.body, *object);
  if (auto refused = faults.refusal(options->validation)) return answer_status(*refused);
  const WrittenBy by = written_by(view, request, *options);
  const ResourceInfo& kind = view.resource.info();
  const auto edit = [&](const json& current) -> tl::expected<json, kube::Status> {
    if (auto refused = refuse_approver(request, info, current)) return tl::unexpected(*refused);
    if (!may_update_blindly(kind) && resource_version(*object).empty()) {
      return tl::unexpected(version_required(kind, info.name));
    }
    return *object;
  };
  const bool status_only = !info.subresource.empty();
  int code = 200;
  Outcome outcome = writer_.update(
      view.resource, key_of(view, info), request.user,
      {.status_only = status_only, .dry_run = options->dry_run, .by = by, .approval = writes_approval(info)}, edit);
  const bool creates = !outcome && outcome.error().code == 404 && !status_only && may_create_by_update(kind);
  if (creates && text_at(*object, "/metadata/name") == info.name) {
    if (auto refused = refuse_creation(request, info)) return answer_status(*refused);
    outcome = writer_.create(view.resource, info.namespace_, *object, options->dry_run, by);
    code = 201;
  }
  Response response = answer(view, outcome, code);
  faults.warn(options->validation, response);
  return response;
}

Response RestHandler::patch(const View& view, const Request& request, const RequestInfo& info) {
  const auto type = patch_type(request.content_type, view.resource.info().strategic_merge);
  if (!type) return answer_status(type.error());
  const auto options = read_write_options(request, "PatchOptions", *type == PatchType::apply);
  if (!options) return answer_status(options.error());
  const auto patch = parse_patch(*type, request.body);
  if (!patch) return answer_status(patch.error());
  const FieldFaults faults(view, "", request.body, *patch);
  const bool applies = *type == PatchType::apply;
  const auto refused = applies ? faults.refusal(options->validation) : faults.refusal_of_patch(options->validation);
  if (refused) return answer_status(*refused);
  Response response;
  if (applies) {
    response = apply(view, request, info, *options, *patch);
  } else {
    const auto edit = [&](const json& current) -> tl::expected<json, kube::Status> {
      if (auto denied = refuse_approver(request, info, current)) return tl::unexpected(*denied);
      return apply_patch(*type, current, *patch, view.resource.merge_schema());
    };
    response = answer(view,
                      writer_.update(view.resource, key_of(view, info), request.user,
                                     {.status_only = !info.subresource.empty(),
                                      .dry_run = options->dry_run,
                                      .by = written_by(view, request, *options),
                                      .approval = writes_approval(info),
                                      .patched = true},
                                     edit),
                      200);
  }
  faults.warn(options->validation, response);
  return response;
}

Response RestHandler::apply(const View& view, const Request& request, const RequestInfo& info,
                            const WriteOptions& options, const json& patch) {
  const json configuration = applicable(patch, view, info);
  if (!configuration["metadata"].is_object()) return answer_status(kube::bad_request("metadata is not an object"));
  const WrittenBy by = written_by(view, request, options, true);
  const FieldOwner owner{{by.manager, true, by.api_version, info.subresource}, format_time(now_seconds())};
  const MergeSchema& schema = view.resource.merge_schema();
  const auto edit = [&](const json& current) -> tl::expected<json, kube::Status> {
    if (auto refused = refuse_approver(request, info, current)) return tl::unexpected(*refused);
    return apply_configuration(&current, configuration, owner, options.force, schema);
  };
  const Key key = key_of(view, info);
  // Another client may create or delete the object between the two steps: a few rounds settle that.
  for (int round = 0; round < 5; ++round) {
    Outcome updated = writer_.update(view.resource, key, request.user,
                                     {.status_only = !info.subresource.empty(),
                                      .dry_run = options.dry_run,
                                      .by = by,
                                      .approval = writes_approval(info)},
                                     edit);
    if (updated || updated.error().code != 404 || !info.subresource.empty()) return answer(view, updated, 200);
    if (auto refused = refuse_creation(request, info)) return answer_status(*refused);
    auto object = apply_configuration(nullptr, configuration, owner, options.force, schema);
    if (!object) return answer_status(object.error());
    Outcome created = writer_.create(view.resource, info.namespace_, std::move(*object), options.dry_run, by);
    if (created || created.error().reason != "AlreadyExists") return answer(view, created, 201);
  }
  return answer_status(kube::object_modified(view.resource.info().group, view.resource.info().plural, info.name));
}

/// Whoever answers a request for a certificate needs the right to do that for its signer, as CertificateApproval, an
/// admission plugin, has it.
std::optional<kube::Status> RestHandler::refuse_approver(const Request& request, const RequestInfo& info,
                                                         const json& current) const {
  if (!writes_approval(info)) return std::nullopt;
  const std::string signer = text_at(current, "/spec/signerName");
  const auto may = [&](const std::string& name) {
    return authorizer_.allows(request.user, {.is_resource = true,
                                             .verb = "approve",
                                             .path = {},
                                             .group = info.group,
                                             .resource = "signers",
                                             .subresource = {},
                                             .namespace_ = {},
                                             .name = name});
  };
  if (may(signer) || may(signer.substr(0, signer.find('/')) + "/*")) return std::nullopt;
  return kube::forbidden(info.group, info.resource, info.name,
                         info.resource + "." + info.group + " \"" + info.name +
                             "\" is forbidden: user not permitted to approve requests with signerName " +
                             field::quoted(signer));
}

/// Whoever creates by an update or an apply needs the right to create.
std::optional<kube::Status> RestHandler::refuse_creation(const Request& request, RequestInfo info) const {
  info.verb = "create";
  return refuse_unauthorized(authorizer_, request.user, info);
}

}  // namespace usbloop::apiserver
