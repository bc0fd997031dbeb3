#include <cstddef>
#include <cstdlib>
#include <span>

#include "usbredir/descriptors.h"
#include "usbredir/endpoint_table.h"
#include "usbredir/fuzz/targets.h"

namespace usbloop::usbredir::fuzz {

// What is read as a configuration can be told to the usb-guest side, whatever setting is chosen.
void descriptors(std::span<const std::byte> input) {
  const auto configuration = parse_configuration(input);
  if (!configuration) return;
  EndpointTable table(*configuration);
  for (const AltSetting& setting : configuration->settings) {
    if (!table.select(setting.interface, setting.alternate)) std::abort();
    for (const Endpoint& endpoint : setting.endpoints) {
      if (table.endpoint(endpoint.address) == nullptr) std::abort();
    }
    if (table.interface_info().interface_count > 32) std::abort();
    (void)table.ep_info();
  }
}

}  // namespace usbloop::usbredir::fuzz
