#include "client/find_devices.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include "client/device_question.h"

namespace usbloop::client {

namespace {

using SourcePtr = std::unique_ptr<DeviceSource>;

bool on_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

Result<SourcePtr> prepared(SourcePtr source) {
  if (auto fine = source->prepare(); !fine) return tl::unexpected(fine.error());
  return source;
}

Result<SourcePtr> find_device(const Selector& selector, DeviceClaims& claims) {
  auto found = prepared(make_device_source(selector, claims));
  const bool is_ambiguous = !found && found.error().kind == ErrorKind::conflict;
  if (!is_ambiguous || !on_terminal()) return found;
  const auto chosen = ask_which(selector, std::cin, std::cerr);
  return chosen ? prepared(make_device_source(*chosen, claims)) : std::move(found);
}

}  // namespace

Result<std::vector<SourcePtr>> find_devices(const Options& options, DeviceClaims& claims) {
  std::vector<SourcePtr> devices;
  for (const auto& selector : options.selectors) {
    auto device = find_device(selector, claims);
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
