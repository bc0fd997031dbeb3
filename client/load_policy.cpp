#include "client/load_policy.h"

#include <utility>

#include "client/client_config.h"

namespace usbloop::client {

Result<DevicePolicy> load_policy(const Options& options) {
  const auto path = client_config_path();
  auto config = load_client_config(path);
  if (!config) return tl::unexpected(config.error());
  return DevicePolicy{std::move(config->filter), options.filter, path, options.force};
}

}  // namespace usbloop::client
