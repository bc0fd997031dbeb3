#pragma once

#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/security/rbac_authorizer.h"

// What `kubectl auth can-i` and `kubectl auth whoami` ask, and what others ask about somebody.
namespace usbloop::apiserver {

/// Whether the request creates a SelfSubjectAccessReview, SelfSubjectRulesReview, SelfSubjectReview,
/// SubjectAccessReview or LocalSubjectAccessReview: objects that are answered and not kept.
bool is_review(const RequestInfo& info);

Response answer_review(const Request& request, const RequestInfo& info, const RbacAuthorizer& authorizer,
                       const SchemaSet& schemas);

}  // namespace usbloop::apiserver
