#pragma once

#include "apiserver-sim/api/http_types.h"
#include "apiserver-sim/api/request_info.h"
#include "apiserver-sim/security/authorizer.h"

// What `kubectl auth can-i` and `kubectl auth whoami` ask.
namespace usbloop::apiserver {

bool is_self_review(const RequestInfo& info);

Response self_review(const Request& request, const RequestInfo& info, const Authorizer& authorizer);

}  // namespace usbloop::apiserver
