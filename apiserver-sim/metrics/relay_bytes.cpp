#include "apiserver-sim/metrics/relay_bytes.h"

#include "common/metrics/exposition.h"

namespace usbloop::apiserver {

std::vector<prometheus::MetricFamily> RelayBytes::Collect() const {
  auto bytes = metrics::counter_family("usbloop_relay_bytes_total", "Bytes that relays have passed on, by direction.");
  metrics::add_sample(bytes, {{"direction", "to_device"}}, static_cast<double>(traffic_.to_device.load()));
  metrics::add_sample(bytes, {{"direction", "to_client"}}, static_cast<double>(traffic_.to_client.load()));
  return {std::move(bytes)};
}

}  // namespace usbloop::apiserver
