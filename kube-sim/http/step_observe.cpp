#include "kube-sim/http/request_steps.h"

namespace usbloop::apiserver {

RequestEvent event_of(const RequestHead& head, const RequestInfo& info, const Sender& sender, bool long_running,
                      const std::string& audit_id) {
  RequestEvent event{head.fields, head.request, info, sender.client, long_running, {}, {}};
  event.caller = sender.caller.value_or(User());
  event.impersonates = sender.impersonates;
  event.audit_id = audit_id;
  return event;
}

}  // namespace usbloop::apiserver
