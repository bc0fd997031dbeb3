#pragma once

#include <httplib.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/kube/kubeconfig.h"

// The one place that sets up cpp-httplib's client, for both versions that we build with (0.11 and 0.18). For
// rest_client.cpp only: the header is heavy.
namespace usbloop::kube {

/// A client for one connection to the API server of `access`. `silence` is the longest pause in an answer.
Result<std::unique_ptr<httplib::ClientImpl>> make_http_client(const ClusterAccess& access,
                                                              std::chrono::milliseconds connect_timeout,
                                                              std::chrono::milliseconds silence);

/// httplib's error in words.
std::string to_text(httplib::Error error);

}  // namespace usbloop::kube
