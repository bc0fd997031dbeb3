#include "client/messages.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string_view>

#include "common/kube/status.h"
#include "common/shown_text.h"

namespace usbloop::client {

namespace {

constexpr std::size_t kMaxShown = 1024;

/// Text of the server, bounded.
std::string shown(std::string_view text) { return one_line(text, kMaxShown); }

std::string status_message(const websocket::Refusal& refusal) {
  if (!refusal.content_type.starts_with("application/json")) return {};
  const auto status = kube::parse_status(refusal.body);
  return status ? shown(status->message) : std::string();
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// In UTC, as a certificate has its times.
std::string clock_text() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  char text[sizeof "2026-01-31 23:59"];
  if (::gmtime_r(&now, &parts) == nullptr) return "no time";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts)};
}

std::string certificate_hint(const kube::ClusterAccess& access, std::string_view detail) {
  if (contains(detail, "not yet valid")) {
    return "This machine's clock says " + clock_text() + " UTC: set it, if it is wrong; else the server's is.";
  }
  if (contains(detail, "certificate has expired")) {
    return "Its certificate has to be renewed, unless this machine's clock is wrong: that says " + clock_text() +
           " UTC.";
  }
  if (access.ca_pem.empty()) {
    return "The context \"" + access.context +
           "\" names no certificate-authority, so only the system's authorities are trusted. Put the server's CA into "
           "the "
           "kubeconfig.";
  }
  return "The certificate-authority of the context \"" + access.context +
         "\" does not vouch for this server: is the kubeconfig an old one, or the address that of another cluster? For "
         "a "
         "server known by another name there is tls-server-name.";
}

}  // namespace

std::string Target::label() const { return "VMI " + name_space + "/" + name; }

std::string Target::subresource_path() const {
  return "/apis/subresources.kubevirt.io/v1/namespaces/" + name_space + "/virtualmachineinstances/" + name +
         "/usbredir";
}

std::string Target::object_path() const {
  return "/apis/kubevirt.io/v1/namespaces/" + name_space + "/virtualmachineinstances/" + name;
}

std::string Target::vm_path() const {
  return "/apis/kubevirt.io/v1/namespaces/" + name_space + "/virtualmachines/" + name;
}

std::string see_what_there_is(const Target& target) {
  return "See what there is: kubectl get vmi -n " + target.name_space;
}

std::string refusal_message(const websocket::Refusal& refusal) {
  if (auto message = status_message(refusal); !message.empty()) return message;
  std::string text = "Can't connect to websocket (" + std::to_string(refusal.status) + "): websocket: bad handshake";
  if (const auto body = shown(refusal.body); !body.empty()) text += ": application info: " + body;
  return text;
}

std::string refusal_hint(const websocket::Refusal& refusal, const kube::ClusterAccess& access, const Target& target) {
  const std::string message = refusal_message(refusal);
  switch (refusal.status) {
    case 401:
      return access.authorization() || !access.client_cert_pem.empty()
                 ? "The server refuses the credentials of the context \"" + access.context +
                       "\": the token or certificate is wrong or has expired. Log in again or get a new kubeconfig."
                 : "The context \"" + access.context +
                       "\" has no credentials. Get a kubeconfig with a token or certificate.";
    case 403:
      return "Ask for the right to get virtualmachineinstances/usbredir in the group subresources.kubevirt.io, for "
             "example by the cluster role kubevirt.io:edit.";
    case 404:
      // Without such an API there is no object of Kubernetes in the answer, but "404 page not found".
      return contains(status_message(refusal), "not found")
                 ? see_what_there_is(target)
                 : "The server does not know KubeVirt's API: is " + access.url() + " the right cluster?";
    case 409:
      return contains(message, "Not configured")
                 ? "The VMI needs spec.domain.devices.clientPassthrough: {} before it starts."
                 : "";
    default: break;
  }
  if (contains(message, "not running"))
    return "See its phase: kubectl get vmi " + target.name + " -n " + target.name_space;
  if (contains(message, "(503)")) {
    return "A VMI takes four devices at a time. End one of the other redirections, or wait for that with --wait.";
  }
  if (contains(message, "virt-handler")) {
    return "The VMI's node does not answer: kubectl get nodes, and kubectl get vmi " + target.name + " -n " +
           target.name_space +
           " -o wide tells which one it is. Servers before KubeVirt 1.8 say this too when all four "
           "slots are taken.";
  }
  if (refusal.status >= 500) return "The server has a fault of its own, or starts: try again; its logs know more.";
  return {};
}

Error explain_connect_error(Error error, const kube::ClusterAccess& access) {
  const bool lookup = error.operation.starts_with("look up");
  const bool plain_connect = error.operation.starts_with("connect");
  std::string detail = plain_connect ? error.cause : error.message();
  if (error.hint.empty()) {
    if (lookup) {
      error.hint = "Check the host name in the kubeconfig, and whether a VPN is needed.";
    } else if (contains(detail, "certificate") || contains(detail, "mismatch")) {
      error.hint = certificate_hint(access, detail);
    } else if (contains(detail, "wrong version number") || contains(detail, "record layer")) {
      error.hint = "There is a server, but it does not speak TLS: check the port and https:// in the kubeconfig.";
    } else if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timeout) {
      error.hint = "Is the server running, and is this its address? A firewall or a missing VPN looks the same.";
    }
  }
  return {error.kind, "connect to the API server", access.url(), std::move(detail), std::move(error.hint)};
}

std::string what_ended(const SessionEnd& end, const Target& target) {
  if (end.cause == SessionEnd::Cause::closed) {
    const auto reason = shown(end.close.reason);
    return "The server closed the connection (" + std::to_string(end.close.code) + ")" +
           (reason.empty() ? "" : ": " + reason);
  }
  const bool has_cause = end.error && end.error->kind != ErrorKind::cancelled;
  return "The connection to " + target.label() + " ended" + (has_cause ? " (" + shown(end.error->cause) + ")" : "");
}

std::string far_end_message(const SessionEnd& end, const Target& target, const Result<VmiState>& state) {
  const std::string text = what_ended(end, target);
  if (!state) return text + ".\nThe API server cannot be asked why: " + shown(state.error().message()) + ".";
  const std::string cure = "\n" + see_what_there_is(target);
  if (!state->exists) return text + ": the VMI has been deleted." + cure;
  if (state->deleting) return text + ": the VMI is being deleted." + cure;
  if (state->phase != "Running") {
    return text + ": the VMI is no longer running (phase " + (state->phase.empty() ? "unknown" : shown(state->phase)) +
           ")." + cure;
  }
  return text + ", though the VMI is still running. Try again; the VMI's node knows more.";
}

std::string text_of(const Error& error) {
  const std::string message = shown(error.message());
  return error.hint.empty() ? message : message + "\n" + shown_lines(error.hint);
}

}  // namespace usbloop::client
