#include "kube-sim/rest/request_options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "kube-sim/objects/codec.h"
#include "kube-sim/resources/resource.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::size_t kMostManagerBytes = 128;

kube::Status refused(const std::string& kind, Causes causes) {
  return kube::invalid("meta.k8s.io", kind, "", std::move(causes));
}

bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

void check_dry_run(const std::vector<std::string>& values, Causes& causes) {
  if (std::all_of(values.begin(), values.end(), [](const std::string& value) { return value == "All"; })) return;
  std::string shown = "[]string{";
  for (std::size_t i = 0; i < values.size(); ++i) shown += (i > 0 ? ", " : "") + field::quoted(values[i]);
  causes.push_back(field::not_supported("dryRun", shown + "}", {"All"}));
}

std::vector<std::string> values_of(const Request& request, const std::string& name) {
  std::vector<std::string> values;
  const auto [begin, end] = request.query.equal_range(name);
  for (auto at = begin; at != end; ++at) values.push_back(at->second);
  return values;
}

void check_manager(const std::string& manager, Causes& causes) {
  if (manager.size() > kMostManagerBytes) causes.push_back(field::too_long("fieldManager", kMostManagerBytes));
  for (std::size_t i = 0; i < manager.size(); ++i) {
    if (is_printable(manager[i])) continue;
    char code[8];
    std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned char>(manager[i]));
    causes.push_back(
        field::invalid("fieldManager", manager,
                       "invalid character " + std::string(code) + " (at position " + std::to_string(i) + ")"));
  }
}

tl::unexpected<std::string> not_a_number(const char* function, const std::string& text, const char* why) {
  return tl::unexpected("strconv." + std::string(function) + ": parsing " + field::quoted(text) + ": " + why);
}

template <typename Number>
tl::expected<Number, std::string> parse_number(const char* function, const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return not_a_number(function, text, "value out of range");
  if (error != std::errc() || end != text.data() + text.size()) return not_a_number(function, text, "invalid syntax");
  return number;
}

const std::vector<std::string_view>& policies() {
  static const std::vector<std::string_view> kPolicies = {"Foreground", "Background", "Orphan", "nil"};
  return kPolicies;
}

/// `orphan`: the old way to say Orphan or Background was used.
tl::expected<DeleteOptions, kube::Status> checked(DeleteOptions options, bool orphan,
                                                  const std::vector<std::string>& dry_run) {
  Causes causes;
  const std::string& policy = options.propagation_policy;
  if (orphan && !policy.empty()) {
    causes.push_back(
        field::invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (!policy.empty() && std::find(policies().begin(), policies().end() - 1, policy) == policies().end() - 1) {
    causes.push_back(field::not_supported("propagationPolicy", field::quoted(policy), policies()));
  }
  check_dry_run(dry_run, causes);
  if (!causes.empty()) return tl::unexpected(refused("DeleteOptions", std::move(causes)));
  options.dry_run = !dry_run.empty();
  return options;
}

tl::expected<DeleteOptions, kube::Status> delete_options_of_query(const Request& request) {
  DeleteOptions options;
  if (const std::string text = request.parameter("gracePeriodSeconds"); !text.empty()) {
    const auto seconds = parse_number<std::int64_t>("ParseInt", text);
    if (!seconds) return tl::unexpected(kube::bad_request(seconds.error()));
    options.grace_period_seconds = *seconds;
  }
  options.propagation_policy = request.parameter("propagationPolicy");
  return checked(std::move(options), request.query.count("orphanDependents") > 0, values_of(request, "dryRun"));
}

tl::unexpected<kube::Status> undecodable(const char* what) {
  return tl::unexpected(kube::bad_request(std::string("DeleteOptions in version \"v1\" cannot be handled as a "
                                                      "DeleteOptions: json: cannot unmarshal ") +
                                          what));
}

tl::expected<DeleteOptions, kube::Status> delete_options_of_body(const json& body) {
  if (const std::string kind = text_at(body, "/kind"); !kind.empty() && kind != "DeleteOptions") {
    return tl::unexpected(kube::bad_request("no kind \"" + kind + "\" is registered for version \"" +
                                            text_at(body, "/apiVersion") + "\" in scheme \"meta.k8s.io\""));
  }
  DeleteOptions options;
  options.uid = text_at(body, "/preconditions/uid");
  options.resource_version = text_at(body, "/preconditions/resourceVersion");
  if (const json* seconds = element_at(body, "/gracePeriodSeconds"); seconds != nullptr && !seconds->is_null()) {
    if (!seconds->is_number_integer())
      return undecodable("the value of gracePeriodSeconds into Go value of type int64");
    options.grace_period_seconds = int64_of(*seconds, 0);
  }
  options.propagation_policy = text_at(body, "/propagationPolicy");
  std::vector<std::string> dry_run;
  if (const json* list = element_at(body, "/dryRun"); list != nullptr && !list->is_null()) {
    if (!list->is_array()) return undecodable("the value of dryRun into Go value of type []string");
    for (const json& value : *list) dry_run.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  const json* orphan = element_at(body, "/orphanDependents");
  return checked(std::move(options), orphan != nullptr && !orphan->is_null(), dry_run);
}

/// What is wrong with resourceVersionMatch, and with what only a watch may ask.
Causes check_list(const Request& request, const std::string& version, const std::string& match) {
  Causes causes;
  const char* const kField = "resourceVersionMatch";
  if (!match.empty()) {
    if (version.empty()) {
      causes.push_back(
          field::forbidden(kField, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (!request.parameter("continue").empty()) {
      causes.push_back(field::forbidden(kField, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (match != "Exact" && match != "NotOlderThan") {
      causes.push_back(field::not_supported(kField, field::quoted(match), {"Exact", "NotOlderThan", ""}));
    }
    if (match == "Exact" && version == "0") {
      causes.push_back(
          field::forbidden(kField, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
    }
  }
  if (request.query.count("sendInitialEvents") > 0) {
    causes.push_back(field::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  return causes;
}

}  // namespace

tl::expected<WriteOptions, kube::Status> read_write_options(const Request& request, const std::string& kind,
                                                            bool apply) {
  WriteOptions options;
  Causes causes;
  if (!apply && kind == "PatchOptions" && request.query.count("force") > 0) {
    causes.push_back(field::forbidden("force", "may not be specified for non-apply patch"));
  }
  options.field_manager = request.parameter("fieldManager");
  if (apply && options.field_manager.empty()) {
    causes.push_back(field::required("fieldManager", "is required for apply patch"));
  }
  check_manager(options.field_manager, causes);
  const std::vector<std::string> dry_run = values_of(request, "dryRun");
  check_dry_run(dry_run, causes);
  const std::string validation = request.parameter("fieldValidation");
  if (validation == "Strict") options.validation = FieldValidation::strict;
  if (validation == "Ignore") options.validation = FieldValidation::ignore;
  if (!validation.empty() && validation != "Strict" && validation != "Ignore" && validation != "Warn") {
    causes.push_back(
        field::not_supported("fieldValidation", field::quoted(validation), {"", "Ignore", "Strict", "Warn"}));
  }
  if (!causes.empty()) return tl::unexpected(refused(kind, std::move(causes)));
  options.dry_run = !dry_run.empty();
  options.force = apply && request.flag("force");
  return options;
}

std::string manager_of(const WriteOptions& options, const Request& request) {
  if (!options.field_manager.empty()) return options.field_manager;
  std::string manager;
  for (const char c : request.user_agent.substr(0, request.user_agent.find('/'))) {
    if (is_printable(c) && static_cast<unsigned char>(c) < 0x80 && manager.size() < kMostManagerBytes) manager += c;
  }
  return manager.empty() ? "unknown" : manager;
}

tl::expected<std::uint64_t, std::string> parse_version(const std::string& text) {
  return parse_number<std::uint64_t>("ParseUint", text);
}

kube::Status version_too_large(std::uint64_t asked, std::uint64_t current) {
  kube::Status status;
  status.code = 504;
  status.reason = "Timeout";
  status.message =
      "Timeout: Too large resource version: " + std::to_string(asked) + ", current: " + std::to_string(current);
  status.retry_after_seconds = 1;
  status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  return status;
}

tl::expected<ListOptions, kube::Status> read_list_options(const Request& request) {
  ListOptions options;
  if (const std::string text = request.parameter("limit"); !text.empty()) {
    const auto limit = parse_number<std::int64_t>("ParseInt", text);
    if (!limit) return tl::unexpected(kube::bad_request(limit.error()));
    options.limit = static_cast<std::size_t>(std::max<std::int64_t>(*limit, 0));
  }
  const std::string version = request.parameter("resourceVersion");
  const std::string match = request.parameter("resourceVersionMatch");
  if (Causes causes = check_list(request, version, match); !causes.empty()) {
    return tl::unexpected(refused("ListOptions", std::move(causes)));
  }
  options.continue_ = request.parameter("continue");
  if (version.empty()) return options;
  const auto number = parse_version(version);
  if (!number) {
    return tl::unexpected(kube::bad_request(
        "invalid resource version: resourceVersion: Invalid value: " + field::quoted(version) + ": " + number.error()));
  }
  options.version = *number;
  if (!options.continue_.empty() && *number != 0) {
    return tl::unexpected(kube::bad_request("specifying resource version is not allowed when using continue"));
  }
  // With a limit, an old client's plain version means exactly that one.
  const bool exact = match == "Exact" || (match.empty() && options.limit > 0 && *number != 0);
  options.match = exact ? ListOptions::Match::exact : ListOptions::Match::not_older_than;
  // "Any version will do" is answered as from a cache, which knows no pages.
  if (version == "0" && match.empty()) options.limit = 0;
  return options;
}

tl::expected<DeleteOptions, kube::Status> read_delete_options(const Request& request, const SchemaSet& schemas) {
  if (request.body.empty()) return delete_options_of_query(request);
  const auto body = decode_object(request.content_type, request.body, schemas);
  if (!body) return tl::unexpected(body.error());
  return delete_options_of_body(*body);
}

}  // namespace usbloop::apiserver
