#pragma once

#include <chrono>
#include <string>

#include "kube-sim/observe/request_observer.h"

namespace usbloop::apiserver {

/// How far a request has come.
enum class AuditStage { request_received, response_started, response_complete };

/// The id under which a request is recorded: the one that the client gives in the header Audit-ID, else a new one.
std::string audit_id_of(const http::Head& head);

/// One event of audit.k8s.io/v1 at level Metadata, as a line of JSON with its newline: who did what to which object,
/// and with what success. Never bodies, never credentials.
std::string audit_line(const RequestEvent& event, AuditStage stage, std::chrono::system_clock::time_point now);

}  // namespace usbloop::apiserver
