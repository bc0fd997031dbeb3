#include "client/find_devices.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "client/desk_devices.h"
#include "client/devices/device_question.h"

namespace usbloop::client {

namespace {

using SourcePtr = std::unique_ptr<DeviceSource>;

bool on_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

Result<SourcePtr> prepared(SourcePtr source) {
  if (auto fine = source->prepare(); !fine) return tl::unexpected(fine.error());
  return source;
}

SourcePtr make_source(const Options& options, const Selector& selector, DeviceClaims& claims,
                      const DevicePolicy& policy) {
  if (options.desk.empty()) return make_device_source(selector, claims, policy);
  return make_desk_source(options.desk, selector, claims, policy);
}

Result<SourcePtr> find_device(const Options& options, const Selector& selector, DeviceClaims& claims,
                              const DevicePolicy& policy) {
  auto found = prepared(make_source(options, selector, claims, policy));
  const bool is_ambiguous = !found && found.error().kind == ErrorKind::conflict;
  if (!is_ambiguous || !on_terminal()) return found;
  const auto devices = devices_of(options.desk);
  const auto chosen = devices ? ask_which(*devices, selector, std::cin, std::cerr) : std::nullopt;
  return chosen ? prepared(make_source(options, *chosen, claims, policy)) : std::move(found);
}

/// Those that the options name, or the person at the terminal does.
Result<std::vector<Selector>> selectors_of(const Options& options, const DevicePolicy& policy) {
  if (!options.pick) return options.selectors;
  if (!on_terminal()) {
    return make_error(ErrorKind::invalid, kNoDeviceNamed, "VMI " + options.vmi, "the arguments name none",
                      "Name a device before the VMI, for example 0951:1666 or 1-3; the command list shows them. At a "
                      "terminal you are asked.");
  }
  const auto devices = devices_of(options.desk);
  if (!devices) return tl::unexpected(devices.error());
  return pick_devices(look_at(*devices), policy, std::cin, std::cerr);
}

}  // namespace

Result<std::vector<SourcePtr>> find_devices(const Options& options, DeviceClaims& claims, const DevicePolicy& policy) {
  std::vector<SourcePtr> devices;
  const auto selectors = selectors_of(options, policy);
  if (!selectors) return tl::unexpected(selectors.error());
  for (const auto& selector : *selectors) {
    auto device = find_device(options, selector, claims, policy);
    if (!device) return tl::unexpected(device.error());
    devices.push_back(std::move(*device));
  }
  for (const auto& spec : options.emulate) {
    auto device = prepared(make_emulated_source(spec));
    if (!device) return tl::unexpected(device.error());
    devices.push_back(std::move(*device));
  }
  return devices;
}

}  // namespace usbloop::client
