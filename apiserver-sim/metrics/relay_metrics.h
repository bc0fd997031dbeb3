#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

#include "kube-sim/observe/request_observer.h"

namespace usbloop::apiserver {

/// The relays' own metrics by subresource: sessions, how long they were, refusals by HTTP status. Thread-safe.
class RelayMetrics final : public RequestObserver {
 public:
  explicit RelayMetrics(prometheus::Registry& registry);

  void began(const RequestEvent&) override {}
  void started(const RequestEvent&) override {}
  void sent(const RequestEvent&, std::size_t) override {}
  void ended(const RequestEvent& event) override;

 private:
  prometheus::Family<prometheus::Histogram>& sessions_;
  prometheus::Family<prometheus::Counter>& refusals_;
};

/// "usbredir", "console", "vnc" or "portforward" when the request is for a relay of that name, else empty.
std::string relay_kind(const RequestEvent& event);

}  // namespace usbloop::apiserver
