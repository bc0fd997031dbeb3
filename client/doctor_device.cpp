#include "client/desk_devices.h"
#include "client/devices/device_list.h"
#include "client/devices/usb_device.h"
#include "client/doctor.h"
#include "client/load_policy.h"
#include "device-sim/kinds.h"

// What doctor sees of the device and of this machine.
namespace usbloop::client {

namespace {

/// A file that cannot be understood ends every redirection, also that of an emulated device.
void examine_policy(const Result<DevicePolicy>& policy, const LocalDevice* device, const char* no_device,
                    Diagnosis& diagnosis) {
  constexpr const char* kStep = "policy";
  if (!policy) return diagnosis.failed(kStep, policy.error());
  if (device == nullptr) return diagnosis.not_checked(kStep, no_device);
  if (const auto fine = policy->check(*device); !fine) {
    return diagnosis.failed(kStep, fine.error().cause, fine.error().hint);
  }
  const bool has_rules = !policy->configured.empty() || !policy->given.empty();
  diagnosis.ok(kStep,
               has_rules ? "the filter rules allow it" : "there are no filter rules, and nothing else refuses it");
}

void miss_device(const Error& error, const Result<DevicePolicy>& policy, Diagnosis& diagnosis) {
  diagnosis.failed("device", error);
  examine_policy(policy, nullptr, "there is no device to judge", diagnosis);
  diagnosis.not_checked("permission", "there is no device to open");
  diagnosis.not_checked("driver", "there is no device to look at");
}

void examine_emulated(const std::string& spec, const Result<DevicePolicy>& policy, Diagnosis& diagnosis) {
  const auto host = device_sim::make_host_end(spec);
  if (!host) {
    diagnosis.failed("device", host.error());
  } else {
    diagnosis.ok("device", (*host)->device().label());
  }
  examine_policy(policy, nullptr, "emulated devices are not judged", diagnosis);
  diagnosis.not_checked("permission", "an emulated device needs none");
  diagnosis.not_checked("driver", "an emulated device has none");
}

void examine_driver(const LocalDevice& device, Diagnosis& diagnosis) {
  const std::string drivers = platform::drivers(device.place);
  if (drivers.empty()) {
    diagnosis.not_checked("driver", "this system does not tell");
  } else if (drivers.find("usbfs") != std::string::npos) {
    diagnosis.failed("driver", "another program has the device",
                     "Another redirection or a virtual machine here has claimed it: end that first.");
  } else if (drivers == "none") {
    diagnosis.ok("driver", "no driver holds it");
  } else {
    diagnosis.ok("driver", drivers + "; it gives the device up for the redirection and has it back afterwards");
  }
}

void examine_local(const Selector& selector, const Result<DevicePolicy>& policy, Diagnosis& diagnosis) {
  const auto devices = UsbDevices::list();
  const auto index = devices ? choose_device(devices->all(), selector) : tl::unexpected(devices.error());
  if (!index) return miss_device(index.error(), policy, diagnosis);
  const LocalDevice& device = devices->all()[*index];
  diagnosis.ok("device", device.line());
  examine_policy(policy, &device, "", diagnosis);
  const auto handle = devices->open(*index);
  if (handle) {
    diagnosis.ok("permission", "you may open " + platform::device_node(device.place));
  } else {
    diagnosis.failed("permission", handle.error());
  }
  examine_driver(device, diagnosis);
}

void examine_on_desk(const std::string& desk, const Selector& selector, const Result<DevicePolicy>& policy,
                     Diagnosis& diagnosis) {
  const auto devices = devices_of(desk);
  const auto index = devices ? choose_device(*devices, selector) : tl::unexpected(devices.error());
  if (!index) return miss_device(index.error(), policy, diagnosis);
  const LocalDevice& device = (*devices)[*index];
  diagnosis.ok("device", device.line());
  examine_policy(policy, &device, "", diagnosis);
  diagnosis.ok("permission", "the desk is yours");
  if (device.holder.empty()) {
    diagnosis.ok("driver", "nobody has it");
  } else {
    diagnosis.failed("driver", device.holder + " has it", "End that redirection first.");
  }
}

}  // namespace

void examine_device(const Options& options, Diagnosis& diagnosis) {
  const auto policy = load_policy(options);
  if (!options.emulate.empty()) return examine_emulated(options.emulate.front(), policy, diagnosis);
  if (!options.desk.empty()) return examine_on_desk(options.desk, options.selectors.front(), policy, diagnosis);
  examine_local(options.selectors.front(), policy, diagnosis);
}

}  // namespace usbloop::client
