#include "client/devices/redirection_errors.h"
#include "client/exit_status.h"
#include "client/redirection.h"
#include "client/vmi_state.h"

// How a redirection that is not begun again ends: what is said, and the exit status.
namespace usbloop::client {

namespace {

/// The parser, which reads the stream for emulated and translated devices, does not know whose stream it is.
Error with_cure(const Error& error, const std::string& label) {
  if (error.kind != ErrorKind::protocol || !error.hint.empty()) return error;
  return broken_protocol(label, error.cause);
}

}  // namespace

int Redirection::report(const Attempt& attempt) {
  if (attempt.not_connected) {
    return end(Happening::ended_not_connected, text_of(*attempt.not_connected), kExitFailed);
  }
  if (attempt.not_taken) return end(Happening::ended_device_not_taken, text_of(*attempt.not_taken), kExitFailed);
  if (attempt.refusal) return report_refusal(*attempt.refusal);
  return report_end(*attempt.end);
}

int Redirection::report_refusal(const websocket::Refusal& refusal) {
  const auto hint = refusal_hint(refusal, access_, target_);
  return end(Happening::ended_refused,
             "Can't access VMI " + target_.name + ": " + refusal_message(refusal) + (hint.empty() ? "" : "\n" + hint),
             kExitFailed);
}

int Redirection::report_end(const SessionEnd& how) {
  switch (how.cause) {
    case SessionEnd::Cause::stopped: return end(Happening::ended_stopped, "", kExitAsAsked);
    case SessionEnd::Cause::closed:
      if (how.close.code == 1000) {
        return end(Happening::ended_closed, "The server closed the redirection in good order.", kExitAsAsked);
      }
      break;
    case SessionEnd::Cause::device:
      return how.error ? end(Happening::ended_device, text_of(with_cure(*how.error, device_->label())), kExitFailed)
                       : end(Happening::ended_device, "", kExitAsAsked);
    case SessionEnd::Cause::not_served: {
      const Error error{ErrorKind::timeout, "redirect to", target_.label(),
                        "its USB slot was opened, but the virtual machine does not answer",
                        "Is it paused (kubectl get vmi " + target_.name + " -n " + target_.name_space +
                            ")? Then unpause it and try again."};
      return end(Happening::ended_not_answering, text_of(error), kExitFailed);
    }
    case SessionEnd::Cause::lost: break;
  }
  is_lost_ = true;  // and stays so if we are asked to stop while the reason is looked up
  return end(Happening::ended_connection_lost,
             far_end_message(how, target_, look_up_vmi(access_, target_, asked_to_stop_.get_token())), kExitFailed);
}

}  // namespace usbloop::client
