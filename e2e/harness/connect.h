#pragma once

#include <httplib.h>

#include <chrono>
#include <memory>

#include "e2e/harness/api.h"

namespace usbloop::e2e {

/// A connection of the harness's own client, kept alive, with the credentials of `api`: for cases that make many
/// requests, or that want to see a connection end.
std::unique_ptr<httplib::SSLClient> connect(const Api& api, std::chrono::seconds answer_timeout);

}  // namespace usbloop::e2e
