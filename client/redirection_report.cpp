#include "client/exit_status.h"
#include "client/redirection.h"
#include "client/vmi_state.h"

// How a redirection that is not begun again ends: what is said, and the exit status.
namespace usbloop::client {

int Redirection::fail(const Error& error) {
  hooks_.say(text_of(error));
  return kExitFailed;
}

int Redirection::report(const Attempt& attempt) {
  if (attempt.not_connected) return fail(*attempt.not_connected);
  if (attempt.not_taken) return fail(*attempt.not_taken);
  if (attempt.refusal) return report_refusal(*attempt.refusal);
  return report_end(*attempt.end);
}

int Redirection::report_refusal(const websocket::Refusal& refusal) {
  hooks_.say("Can't access VMI " + target_.name + ": " + refusal_message(refusal));
  if (const auto hint = refusal_hint(refusal, access_, target_); !hint.empty()) hooks_.say(hint);
  return kExitFailed;
}

int Redirection::report_end(const SessionEnd& end) {
  switch (end.cause) {
    case SessionEnd::Cause::stopped: return kExitAsAsked;
    case SessionEnd::Cause::closed:
      if (end.close.code == 1000) {
        hooks_.say("The server closed the redirection in good order.");
        return kExitAsAsked;
      }
      break;
    case SessionEnd::Cause::device: return end.error ? fail(*end.error) : kExitAsAsked;
    case SessionEnd::Cause::not_served:
      return fail({ErrorKind::timeout, "redirect to", target_.label(),
                   "its USB slot was opened, but the virtual machine does not answer",
                   "Is it paused (kubectl get vmi " + target_.name + " -n " + target_.name_space +
                       ")? Then unpause it and try again."});
    case SessionEnd::Cause::lost: break;
  }
  hooks_.say(far_end_message(end, target_, look_up_vmi(access_, target_, asked_to_stop_.get_token())));
  return kExitFailed;
}

}  // namespace usbloop::client
