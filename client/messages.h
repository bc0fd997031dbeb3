#pragma once

#include <string>

#include "client/session.h"
#include "common/error.h"
#include "common/kube/kubeconfig.h"
#include "common/websocket/connect.h"

// The words that a person reads. Pure functions.
namespace usbloop::client {

/// Who is asked for access.
struct Target {
  std::string name;
  std::string name_space;

  /// `VMI default/demo`.
  [[nodiscard]] std::string label() const;
  /// Path of the usbredir subresource.
  [[nodiscard]] std::string subresource_path() const;
  /// Path of the object itself, and of the VirtualMachine of its name, which may start it anew.
  [[nodiscard]] std::string object_path() const;
  [[nodiscard]] std::string vm_path() const;
};

/// What virtctl (v1.8 and newer) prints after `Can't access VMI NAME: ` for a refused handshake: the Status' message,
/// or the HTTP status with the body's text. Nothing of it steers the terminal.
std::string refusal_message(const websocket::Refusal& refusal);

/// The advice to look which VMIs there are.
std::string see_what_there_is(const Target& target);

/// Advice for a refusal; empty when the message says enough.
std::string refusal_hint(const websocket::Refusal& refusal, const kube::ClusterAccess& access, const Target& target);

/// The error that opening the websocket gave, with the server's URL and a hint that fits its cause.
Error explain_connect_error(Error error, const kube::ClusterAccess& access);

/// What the API server knows about the VMI after a session was cut.
struct VmiState {
  bool exists = true;
  bool deleting = false;
  std::string phase;
  bool has_vm = false;  ///< there is a VirtualMachine of its name, and it is not being deleted
};

/// `The connection to VMI default/demo ended (Connection reset by peer)` and the like, without a full stop.
std::string what_ended(const SessionEnd& end, const Target& target);

/// `The connection ended: the VMI has been deleted.` and the like.
std::string far_end_message(const SessionEnd& end, const Target& target, const Result<VmiState>& state);

/// "message" in one line and, on lines of its own, the hint; neither steers the terminal, whoever wrote its parts.
std::string text_of(const Error& error);

}  // namespace usbloop::client
