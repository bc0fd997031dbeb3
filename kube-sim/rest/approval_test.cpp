// CertificateSigningRequests and the answer to them, as `kubectl certificate approve` and `deny` write it.
#include <doctest/doctest.h>

#include "common/kube/encoding.h"
#include "kube-sim/objects/answer.h"
#include "kube-sim/resources/kubernetes_kinds.h"
#include "kube-sim/rest/api_handler.h"

using namespace usbloop::apiserver;
using nlohmann::json;

namespace {

constexpr const char* kMergePatch = "application/merge-patch+json";

/// The API with Kubernetes' own kinds, as the HTTP layer asks it.
class CertificateApi {
 public:
  CertificateApi() {
    auto opened = Store::open(make_memory_journal(), registry_.field_reader(), hub_);
    if (!opened) throw std::runtime_error(opened.error().message());
    store_ = std::move(*opened);
    authorizer_.emplace(*store_, hub_);
    handler_.emplace(registry_, *store_, *authorizer_, nullptr);
  }

  Response call(const std::string& method, const std::string& path, const json& body = nullptr,
                const std::string& content_type = "application/json", const std::string& accept = {}) {
    const Request request{method, path, {}, content_type, accept, body.is_null() ? "" : body.dump(), user};
    const RequestInfo info = read_request_info(request);
    if (const auto refused = refuse_unauthorized(*authorizer_, user, info)) return answer_status(*refused);
    return handler_->handle(request, info);
  }
  static json ok(const Response& response, int code = 200) {
    if (response.code != code) throw std::runtime_error(std::to_string(response.code) + ": " + response.body);
    return json::parse(response.body);
  }
  json get(const std::string& path) { return ok(call("GET", path)); }

  User user{"admin", "", {"system:masters", "system:authenticated"}};

 private:
  Registry registry_{kubernetes_kinds(), {}, kubernetes_schemas()};
  WatchHub hub_{1000};
  std::unique_ptr<Store> store_;
  std::optional<RbacAuthorizer> authorizer_;
  std::optional<ApiHandler> handler_;
};

std::string message_of(const Response& response) { return json::parse(response.body).value("message", ""); }

const std::string kRequests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const std::string kRoles = "/apis/rbac.authorization.k8s.io/v1/clusterrole";
constexpr const char* kOld = "2020-01-01T00:00:00Z";

void ask_for_certificate(CertificateApi& api) {
  const std::string pem = "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n";
  api.ok(api.call("POST", kRequests,
                  {{"metadata", {{"name", "c"}}},
                   {"spec",
                    {{"signerName", "example.com/client"},
                     {"usages", {"client auth"}},
                     {"request", usbloop::kube::base64_encode(pem)}}}}),
         201);
}

json condition(const char* type, const char* status = "True") {
  return {{"type", type}, {"status", status}, {"reason", "Because"}, {"message", "A person said so."}};
}

/// Puts the object with these conditions to the subresource, as kubectl does with approval.
Response put(CertificateApi& api, const std::string& subresource, const json& conditions) {
  json object = api.get(kRequests + "/c");
  object["status"]["conditions"] = conditions;
  return api.call("PUT", kRequests + "/c/" + subresource, object);
}

std::string shown_condition(CertificateApi& api) {
  const Response table = api.call("GET", kRequests, nullptr, "", "application/json;as=Table;v=v1;g=meta.k8s.io");
  return json::parse(table.body)["rows"][0]["cells"][5];
}

void allow(CertificateApi& api, const std::string& name, const json& rules) {
  api.ok(api.call("POST", kRoles + "s", {{"metadata", {{"name", name}}}, {"rules", rules}}), 201);
  const json subject = {{"kind", "User"}, {"name", "eve"}, {"apiGroup", "rbac.authorization.k8s.io"}};
  api.ok(api.call("POST", kRoles + "bindings",
                  {{"metadata", {{"name", name}}},
                   {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", name}}},
                   {"subjects", json::array({subject})}}),
         201);
}

json rule(const std::string& verb, const std::string& resource, const json& names = json::array()) {
  json made = {{"apiGroups", {"certificates.k8s.io"}}, {"resources", {resource}}, {"verbs", {verb}}};
  if (!names.empty()) made["resourceNames"] = names;
  return made;
}

}  // namespace

TEST_CASE("a request is approved or denied, and the answer has times, an owner and stays") {
  for (const std::string answer : {"Approved", "Denied"}) {
    CAPTURE(answer);
    CertificateApi api;
    ask_for_certificate(api);
    CHECK(shown_condition(api) == "Pending");
    json given = condition(answer.c_str());
    given["lastUpdateTime"] = kOld;  // kubectl gives this one
    const json object = api.ok(put(api, "approval", json::array({given})));
    const json& noted = object["status"]["conditions"][0];
    CHECK(noted["type"] == answer);
    CHECK(noted["message"] == "A person said so.");
    CHECK(noted["lastUpdateTime"] == kOld);
    CHECK(noted["lastTransitionTime"] > kOld);
    CHECK(object["metadata"]["managedFields"].dump().find(R"("subresource":"approval")") != std::string::npos);
    CHECK(shown_condition(api) == answer);
    const Response taken_back = put(api, "approval", json::array());
    CHECK(taken_back.code == 422);
    CHECK(message_of(taken_back).find("updates may not remove a condition of type \"" + answer + "\"") !=
          std::string::npos);
    const json other = condition(answer == "Denied" ? "Approved" : "Denied");
    const Response both = put(api, "approval", json::array({condition(answer.c_str()), other}));
    CHECK(both.code == 422);
    CHECK(message_of(both).find("Approved and Denied conditions are mutually exclusive") != std::string::npos);
  }
}

TEST_CASE("an answer is true, and the subresource approval changes nothing else") {
  CertificateApi api;
  ask_for_certificate(api);
  for (const char* status : {"False", "Unknown", ""}) {
    CAPTURE(status);
    CHECK(put(api, "approval", json::array({condition("Approved", status)})).code == 422);
  }
  for (const json& broken : {json(5), json("x"), json{{"a", 1}}, json::array({5}), json::array({json::object()})}) {
    CAPTURE(broken);
    const int code = put(api, "approval", broken).code;
    CHECK((code == 400 || code == 422));
  }
  const json patch = {{"spec", {{"signerName", "example.com/other"}}},
                      {"metadata", {{"labels", {{"a", "b"}}}}},
                      {"status", {{"certificate", "eA=="}, {"conditions", json::array({condition("Approved")})}}}};
  const json object = api.ok(api.call("PATCH", kRequests + "/c/approval", patch, kMergePatch));
  CHECK(object["spec"]["signerName"] == "example.com/client");
  CHECK(object["metadata"]["labels"]["a"] == "b");
  CHECK_FALSE(object["status"].contains("certificate"));
  CHECK(object["status"]["conditions"].size() == 1);
  CHECK(api.get(kRequests + "/c/approval") == api.get(kRequests + "/c"));
  CHECK(api.call("POST", kRequests + "/c/approval", object).code == 405);
  CHECK(api.call("GET", "/api/v1/namespaces/default/pods/x/approval").code == 404);
}

TEST_CASE("the subresource status gives no answer and takes none away") {
  CertificateApi api;
  ask_for_certificate(api);
  const Response added = put(api, "status", json::array({condition("Approved")}));
  CHECK(added.code == 422);
  CHECK(message_of(added).find("updates may not add a condition of type \"Approved\"") != std::string::npos);
  api.ok(put(api, "approval", json::array({condition("Approved")})));
  const json failed = api.ok(put(api, "status", json::array({condition("Failed")})));
  CHECK(failed["status"]["conditions"].size() == 2);
  CHECK(failed["status"]["conditions"][0]["type"] == "Approved");
  CHECK(shown_condition(api) == "Approved,Failed");
  json object = api.get(kRequests + "/c");
  object["status"] = {{"conditions", json::array()}};
  CHECK(api.ok(api.call("PUT", kRequests + "/c", object))["status"]["conditions"].size() == 2);
}

TEST_CASE("who approves needs the right to, for the signer or for all of its domain") {
  for (const std::string signer : {"example.com/client", "example.com/*", "example.com/other", "*"}) {
    CAPTURE(signer);
    CertificateApi api;
    ask_for_certificate(api);
    allow(api, "writer", json::array({rule("*", "certificatesigningrequests/approval")}));
    const json approved = json::array({condition("Approved")});
    json object = api.get(kRequests + "/c");
    object["status"]["conditions"] = approved;
    const User before = std::exchange(api.user, User{"eve", "", {"system:authenticated"}});
    const Response refused = api.call("PUT", kRequests + "/c/approval", object);
    CHECK(refused.code == 403);
    CHECK(message_of(refused) ==
          "certificatesigningrequests.certificates.k8s.io \"c\" is forbidden: user not permitted to approve requests "
          "with signerName \"example.com/client\"");
    CHECK(api.call("PATCH", kRequests + "/c/approval", {{"status", {{"conditions", approved}}}}, kMergePatch).code ==
          403);
    api.user = before;
    allow(api, "approver", json::array({rule("approve", "signers", {signer})}));
    api.user = {"eve", "", {"system:authenticated"}};
    const bool may = signer == "example.com/client" || signer == "example.com/*";
    CHECK(api.call("PUT", kRequests + "/c/approval", object).code == (may ? 200 : 403));
  }
}
