#include <algorithm>

#include "common/timestamp.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/rest/rest_handler.h"
#include "kube-sim/schema/field_error.h"

// The subresource token of service accounts: authentication.k8s.io/v1 TokenRequest.
namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::int64_t kUsualSeconds = 3600;
constexpr std::int64_t kLeastSeconds = 600;
constexpr std::int64_t kMostSeconds = std::int64_t{1} << 32;

std::optional<kube::Status> refuse_token_request(const json& body, const std::string& name) {
  Causes causes;
  const json* seconds = element_at(body, "/spec/expirationSeconds");
  if (seconds != nullptr && !seconds->is_null()) {
    const std::int64_t wish = int64_of(*seconds, -1);
    if (wish < kLeastSeconds) {
      causes.push_back(
          field::invalid("spec.expirationSeconds", *seconds, "may not specify a duration less than 10 minutes"));
    } else if (wish > kMostSeconds) {
      causes.push_back(
          field::invalid("spec.expirationSeconds", *seconds, "may not specify a duration larger than 2^32 seconds"));
    }
  }
  const json* audiences = element_at(body, "/spec/audiences");
  const bool wrong =
      audiences != nullptr && !audiences->is_null() &&
      (!audiences->is_array() ||
       !std::all_of(audiences->begin(), audiences->end(), [](const json& audience) { return audience.is_string(); }));
  if (wrong) causes.push_back(field::wrong_type("spec.audiences", *audiences, "array"));
  const json* bound = element_at(body, "/spec/boundObjectRef");
  if (bound != nullptr && !bound->is_null()) {
    causes.push_back(
        field::forbidden("spec.boundObjectRef", "tokens of this server are bound to the service account only"));
  }
  if (causes.empty()) return std::nullopt;
  return kube::invalid("authentication.k8s.io", "TokenRequest", name, std::move(causes));
}

}  // namespace

Response RestHandler::make_token(const View& view, const Request& request, const RequestInfo& info) const {
  const auto options = read_write_options(request, "CreateOptions");
  if (!options) return answer_status(options.error());
  const auto body = decode_object(request.content_type, request.body, registry_.schemas());
  if (!body) return answer_status(body.error());
  if (auto refused = refuse_token_request(*body, info.name)) return answer_status(*refused);
  const ObjectPtr account = store_.get(key_of(view, info));
  if (!account || tokens_ == nullptr) return answer_status(kube::not_found("", "serviceaccounts", info.name));
  const json* seconds = element_at(*body, "/spec/expirationSeconds");
  const std::int64_t lifetime = seconds == nullptr ? kUsualSeconds : int64_of(*seconds, kUsualSeconds);
  std::vector<std::string> audiences = {kApiAudience};
  const json* wished = element_at(*body, "/spec/audiences");
  if (wished != nullptr && wished->is_array() && !wished->empty()) audiences = wished->get<std::vector<std::string>>();
  const std::int64_t now = now_seconds();
  const json answer = {
      {"kind", "TokenRequest"},
      {"apiVersion", "authentication.k8s.io/v1"},
      {"metadata", {{"name", info.name}, {"namespace", info.namespace_}, {"creationTimestamp", format_time(now)}}},
      {"spec", {{"audiences", audiences}, {"expirationSeconds", lifetime}, {"boundObjectRef", nullptr}}},
      {"status",
       {{"token", tokens_->issue({info.namespace_, info.name, account->uid}, audiences, now, now + lifetime)},
        {"expirationTimestamp", format_time(now + lifetime)}}}};
  return answer_json(201, answer.dump());
}

}  // namespace usbloop::apiserver
