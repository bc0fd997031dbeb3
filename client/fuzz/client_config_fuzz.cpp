#include <string_view>

#include "client/client_config.h"
#include "client/fuzz/targets.h"

namespace usbloop::client::fuzz {

void client_config(std::span<const std::byte> input) {
  static_cast<void>(parse_client_config({reinterpret_cast<const char*>(input.data()), input.size()}, "usbredir.conf"));
}

}  // namespace usbloop::client::fuzz
