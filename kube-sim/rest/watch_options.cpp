#include "kube-sim/rest/watch_options.h"

#include <algorithm>

#include "kube-sim/resources/resource.h"
#include "kube-sim/rest/request_options.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {
namespace {

Causes check_match(bool sends_initial, const std::string& match, bool continues) {
  Causes causes;
  const char* const kField = "resourceVersionMatch";
  if (sends_initial && match != "NotOlderThan") {
    causes.push_back(
        field::forbidden(kField, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (match.empty()) return causes;
  if (!sends_initial) {
    causes.push_back(
        field::forbidden(kField, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  }
  if (match != "NotOlderThan") {
    causes.push_back(field::not_supported(kField, field::quoted(match), {"NotOlderThan"}));
  }
  if (continues) {
    causes.push_back(field::forbidden(kField, "resourceVersionMatch is forbidden when continue is provided"));
  }
  return causes;
}

}  // namespace

tl::expected<WatchOptions, kube::Status> read_watch_options(const Request& request) {
  WatchOptions options;
  const bool says_initial = request.query.count("sendInitialEvents") > 0;
  Causes causes =
      check_match(says_initial, request.parameter("resourceVersionMatch"), !request.parameter("continue").empty());
  if (!causes.empty()) return tl::unexpected(kube::invalid("meta.k8s.io", "ListOptions", "", std::move(causes)));
  const std::string version = request.parameter("resourceVersion");
  const auto number = version.empty() ? tl::expected<std::uint64_t, std::string>(0) : parse_version(version);
  if (!number) {
    return tl::unexpected(kube::bad_request(
        "invalid resource version: resourceVersion: Invalid value: " + field::quoted(version) + ": " + number.error()));
  }
  options.version = *number;
  if (says_initial && !request.flag("sendInitialEvents")) {
    options.begin = *number == 0 ? WatchOptions::Begin::now : WatchOptions::Begin::behind_version;
  } else if (!says_initial && *number != 0) {
    options.begin = WatchOptions::Begin::behind_version;
  }
  options.bookmarks = request.flag("allowWatchBookmarks");
  options.initial_end_bookmark = request.flag("sendInitialEvents") && options.bookmarks;
  const std::string timeout = request.parameter("timeoutSeconds");
  const auto seconds = timeout.empty() ? tl::expected<std::uint64_t, std::string>(0) : parse_version(timeout);
  if (!seconds) return tl::unexpected(kube::bad_request(seconds.error()));
  // kube-apiserver ends watches without a timeout after 30 to 60 minutes.
  constexpr std::uint64_t kDefault = 45 * 60;
  constexpr std::uint64_t kLongest = 24 * 3600;
  options.timeout = std::chrono::seconds(*seconds == 0 ? kDefault : std::min(*seconds, kLongest));
  return options;
}

}  // namespace usbloop::apiserver
