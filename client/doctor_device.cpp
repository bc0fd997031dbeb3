#include "client/desk_devices.h"
#include "client/devices/device_list.h"
#include "client/devices/usb_device.h"
#include "client/doctor.h"
#include "device-sim/spec.h"

// What doctor sees of the device and of this machine.
namespace usbloop::client {

namespace {

void examine_emulated(const std::string& spec, Diagnosis& diagnosis) {
  const auto host = device_sim::make_host_end(spec);
  if (!host) {
    diagnosis.failed("device", host.error());
  } else {
    diagnosis.ok("device", (*host)->device().label());
  }
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

void examine_local(const Selector& selector, Diagnosis& diagnosis) {
  const auto devices = UsbDevices::list();
  const auto index = devices ? choose_device(devices->all(), selector) : tl::unexpected(devices.error());
  if (!index) {
    diagnosis.failed("device", index.error());
    diagnosis.not_checked("permission", "there is no device to open");
    diagnosis.not_checked("driver", "there is no device to look at");
    return;
  }
  const LocalDevice& device = devices->all()[*index];
  diagnosis.ok("device", device.line());
  const auto handle = devices->open(*index);
  if (handle) {
    diagnosis.ok("permission", "you may open " + platform::device_node(device.place));
  } else {
    diagnosis.failed("permission", handle.error());
  }
  examine_driver(device, diagnosis);
}

void examine_on_desk(const std::string& desk, const Selector& selector, Diagnosis& diagnosis) {
  const auto devices = devices_of(desk);
  const auto index = devices ? choose_device(*devices, selector) : tl::unexpected(devices.error());
  if (!index) {
    diagnosis.failed("device", index.error());
    diagnosis.not_checked("permission", "there is no device to open");
    diagnosis.not_checked("driver", "there is no device to look at");
    return;
  }
  const LocalDevice& device = (*devices)[*index];
  diagnosis.ok("device", device.line());
  diagnosis.ok("permission", "the desk is yours");
  if (device.holder.empty()) {
    diagnosis.ok("driver", "nobody has it");
  } else {
    diagnosis.failed("driver", device.holder + " has it", "End that redirection first.");
  }
}

}  // namespace

void examine_device(const Options& options, Diagnosis& diagnosis) {
  if (!options.emulate.empty()) return examine_emulated(options.emulate.front(), diagnosis);
  if (!options.desk.empty()) return examine_on_desk(options.desk, options.selectors.front(), diagnosis);
  examine_local(options.selectors.front(), diagnosis);
}

}  // namespace usbloop::client
