#include "client/devices/give_back.h"

#include <libusb.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

#include "common/process_watch.h"

namespace usbloop::client {

namespace {

struct ConfigDeleter {
  void operator()(libusb_config_descriptor* config) const { libusb_free_config_descriptor(config); }
};

/// Asks the kernel to look for a driver for each interface. An interface without a driver is no error: many have none.
void attach_drivers(libusb_device_handle* handle) {
  // The reset makes the device forget what its last user left half-done. A device that comes back as a new one has its
  // drivers.
  if (libusb_reset_device(handle) == LIBUSB_ERROR_NOT_FOUND) return;
  libusb_config_descriptor* raw = nullptr;
  if (libusb_get_active_config_descriptor(libusb_get_device(handle), &raw) != 0) return;
  const std::unique_ptr<libusb_config_descriptor, ConfigDeleter> config(raw);
  for (int index = 0; index < config->bNumInterfaces; ++index) {
    if (config->interface[index].num_altsetting == 0) continue;
    libusb_attach_kernel_driver(handle, config->interface[index].altsetting[0].bInterfaceNumber);
  }
}

/// The drivers of the device; "none" only when that lasts. A program that uses the device holds no interface while it
/// resets it, and a device that has just come back gets its drivers in a moment.
std::string lasting_drivers(const platform::Place& place) {
  constexpr int kLooks = 20;
  constexpr std::chrono::milliseconds kPause{50};
  std::string found = platform::drivers(place);
  for (int look = 0; look < kLooks && (found.empty() || found == "none"); ++look) {
    std::this_thread::sleep_for(kPause);
    found = platform::drivers(place);
  }
  return found;
}

tl::unexpected<Error> in_use(const LocalDevice& device) {
  return make_error(ErrorKind::conflict, "give back", device.line(), "a program on this machine is using it",
                    "End that redirection; it gives the device back itself.");
}

bool held_by_program(const std::string& drivers) { return ("," + drivers + ",").find(",usbfs,") != std::string::npos; }

}  // namespace

Result<std::string> give_back(const Selector& selector, bool holder_has_ended) {
  const auto devices = UsbDevices::list();
  if (!devices) return tl::unexpected(devices.error());
  const auto index = choose_device(devices->all(), selector);
  if (!index) return tl::unexpected(index.error());
  const LocalDevice& device = devices->all()[*index];
  if (held_by_program(platform::drivers(device.place))) return in_use(device);
  const auto handle = devices->open(*index);  // not before a reset that is under way has ended
  if (!handle) return tl::unexpected(handle.error());
  const std::string before = holder_has_ended ? platform::drivers(device.place) : lasting_drivers(device.place);
  if (held_by_program(before)) return in_use(device);
  if (before == "none" || before.empty()) attach_drivers(handle->get());
  const std::string now = lasting_drivers(device.place);
  if (now == "none") return device.line() + ": no driver of this machine wants it.";
  return device.line() + ": with its driver" + (now.empty() ? "." : " " + now + ".");
}

void wait_for_end_of(pid_t parent) {
  const auto pidfd = open_pidfd(parent);
  if (!pidfd || ::getppid() != parent) return;  // it has ended already
  while (!wait_pidfd(pidfd->get(), std::chrono::hours(1))) {
  }
}

Result<Process> start_guard(const LocalDevice& device) {
  std::error_code gone;  // the file of a program that is running may have been replaced
  const auto program = std::filesystem::canonical("/proc/self/exe", gone);
  return Process::spawn({.argv = {gone ? "/proc/self/exe" : program.string(), "--give-back", device.bus_device(),
                                  "--after", std::to_string(::getpid())},
                         .standard_output = Output::to_null(),
                         .standard_error = Output::to_null(),
                         .new_session = true});
}

}  // namespace usbloop::client
