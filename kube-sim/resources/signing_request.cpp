#include "kube-sim/resources/signing_request.h"

#include "common/kube/encoding.h"
#include "kube-sim/schema/field_error.h"

namespace usbloop::apiserver {

using nlohmann::json;

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
  return causes;
}

}  // namespace usbloop::apiserver
