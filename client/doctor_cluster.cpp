#include "client/doctor_cluster.h"

#include <nlohmann/json.hpp>

#include "client/api_get.h"
#include "client/doctor.h"
#include "common/websocket/server_stream.h"

// What doctor sees of the server, and of what one may do there.
namespace usbloop::client {

namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kUsualPatience{5'000};

/// The error that opening a connection gives; nothing when it opens. `how` is `question.access`, perhaps without TLS.
asio::awaitable<std::optional<Error>> try_connection(const ClusterQuestion& question, kube::ClusterAccess how) {
  const auto stream = co_await websocket::open_server_stream(std::move(how), question.patience);
  if (stream) co_return std::nullopt;
  co_return explain_connect_error(stream.error(), question.access);
}

void examine_server(const ClusterQuestion& question, Diagnosis& diagnosis) {
  kube::ClusterAccess plain = question.access;
  plain.tls = false;
  if (const auto error = run_to_end(try_connection(question, plain))) {
    diagnosis.failed("server", *error);
  } else {
    diagnosis.ok("server", plain.host + ":" + std::to_string(plain.port) + " takes connections");
  }
}

void examine_tls(const ClusterQuestion& question, Diagnosis& diagnosis) {
  if (!question.access.tls) return diagnosis.not_checked("tls", "the kubeconfig has http://: no TLS, and no login");
  if (!diagnosis.is_ok("server")) return diagnosis.not_checked("tls", "the server cannot be reached");
  if (const auto error = run_to_end(try_connection(question, question.access))) {
    diagnosis.failed("tls", *error);
  } else if (question.access.insecure_skip_tls_verify) {
    diagnosis.ok("tls", "agreed; the certificate is not verified (insecure-skip-tls-verify)");
  } else {
    diagnosis.ok("tls", "the certificate is good");
  }
}

Result<json> review_rights(const ClusterQuestion& question) {
  const json attributes = {
      {"group", "subresources.kubevirt.io"}, {"resource", "virtualmachineinstances"},   {"subresource", "usbredir"},
      {"name", question.target.name},        {"namespace", question.target.name_space}, {"verb", "get"}};
  const json review = {{"apiVersion", "authorization.k8s.io/v1"},
                       {"kind", "SelfSubjectAccessReview"},
                       {"spec", {{"resourceAttributes", attributes}}}};
  return api_create(question.access, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review,
                    question.patience);
}

void examine_login(const ClusterQuestion& question, const Result<json>& review, Diagnosis& diagnosis) {
  const std::string refusal = review ? "" : review.error().cause;
  if (refusal.starts_with("(401)")) {
    diagnosis.failed("login", "the server refuses the credentials " + refusal,
                     refusal_hint({401, "", ""}, question.access, question.target));
  } else if (review || review.error().kind == ErrorKind::denied) {
    diagnosis.ok("login", "the server takes the credentials");
  } else {
    diagnosis.not_checked("login", refusal);
  }
}

void examine_kubevirt(const ClusterQuestion& question, Diagnosis& diagnosis) {
  const auto api = api_get(question.access, "/apis/subresources.kubevirt.io/v1", question.patience);
  if (api) {
    diagnosis.ok("kubevirt", "the server has KubeVirt's API");
  } else if (api.error().kind == ErrorKind::not_found) {
    diagnosis.failed("kubevirt", "the server does not know KubeVirt's API",
                     "Is " + question.access.url() + " the right cluster? If so, KubeVirt is not installed there.");
  } else {
    diagnosis.not_checked("kubevirt", api.error().cause);
  }
}

bool says_yes(const json& review) {
  const json::json_pointer allowed("/status/allowed");
  return review.contains(allowed) && review[allowed] == true;
}

void examine_rights(const ClusterQuestion& question, const Result<json>& review, Diagnosis& diagnosis) {
  const std::string what = "get virtualmachineinstances/usbredir in " + question.target.name_space;
  if (!review) {
    diagnosis.not_checked("rights", "the server does not say: " + review.error().cause);
  } else if (says_yes(*review)) {
    diagnosis.ok("rights", "you may " + what);
  } else {
    diagnosis.failed("rights", "you may not " + what, refusal_hint({403, "", ""}, question.access, question.target));
  }
}

}  // namespace

void examine_cluster(const Options& options, const kube::ClusterAccess& access, Diagnosis& diagnosis) {
  const ClusterQuestion question{
      access,
      {options.vmi, options.name_space.empty() ? access.default_namespace : options.name_space},
      options.request_timeout.value_or(kUsualPatience)};
  examine_server(question, diagnosis);
  examine_tls(question, diagnosis);
  if (!diagnosis.is_ok("server") || diagnosis.has_failed("tls")) {
    for (const char* name : {"login", "kubevirt", "rights", "vmi", "running", "passthrough", "slot"})
      diagnosis.not_checked(name, "the server cannot be asked");
    return;
  }
  const auto review = review_rights(question);
  examine_login(question, review, diagnosis);
  examine_kubevirt(question, diagnosis);
  examine_rights(question, review, diagnosis);
  examine_vmi(question, diagnosis);
  examine_slot(question, diagnosis);
}

}  // namespace usbloop::client
