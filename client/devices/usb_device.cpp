#include "client/devices/usb_device.h"

#include <libusb.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace usbloop::client {

namespace {

/// How long to wait for a device that is being reset. A reset takes 0.1 s; one that the device answers late takes
/// seconds.
constexpr int kResetTries = 100;
constexpr std::chrono::milliseconds kResetPause{50};

usbredir::Speed speed_of(libusb_device* device) {
  switch (libusb_get_device_speed(device)) {
    case LIBUSB_SPEED_LOW: return usbredir::Speed::low;
    case LIBUSB_SPEED_FULL: return usbredir::Speed::full;
    case LIBUSB_SPEED_SUPER:
    case LIBUSB_SPEED_SUPER_PLUS: return usbredir::Speed::super;
    default: return usbredir::Speed::high;
  }
}

platform::Place place_of(libusb_device* device) {
  platform::Place place{libusb_get_bus_number(device), libusb_get_device_address(device), {}};
  std::array<std::uint8_t, 7> ports{};  // the depth that USB allows
  const int count = libusb_get_port_numbers(device, ports.data(), static_cast<int>(ports.size()));
  for (int index = 0; index < count; ++index) {
    place.ports += (index == 0 ? "" : ".") + std::to_string(ports[static_cast<std::size_t>(index)]);
  }
  return place;
}

struct ConfigurationDeleter {
  void operator()(libusb_config_descriptor* config) const { libusb_free_config_descriptor(config); }
};

std::vector<InterfaceClass> interfaces_of(libusb_device* device) {
  std::vector<InterfaceClass> classes;
  libusb_config_descriptor* raw = nullptr;
  if (libusb_get_active_config_descriptor(device, &raw) != 0) return classes;
  const std::unique_ptr<libusb_config_descriptor, ConfigurationDeleter> config(raw);
  for (int index = 0; index < config->bNumInterfaces; ++index) {
    const auto& interface = config->interface[index];
    if (interface.num_altsetting == 0) continue;
    const auto& first = interface.altsetting[0];
    classes.push_back({first.bInterfaceClass, first.bInterfaceSubClass, first.bInterfaceProtocol});
  }
  return classes;
}

/// The system knows the descriptors: nothing is opened, and nothing is sent to the device.
LocalDevice describe(libusb_device* device, const libusb_device_descriptor& descriptor) {
  LocalDevice info;
  info.place = place_of(device);
  info.vendor = descriptor.idVendor;
  info.product = descriptor.idProduct;
  info.hub = descriptor.bDeviceClass == LIBUSB_CLASS_HUB;
  info.version = descriptor.bcdDevice;
  info.device_class = {descriptor.bDeviceClass, descriptor.bDeviceSubClass, descriptor.bDeviceProtocol};
  info.interfaces = interfaces_of(device);
  const bool is_of_interfaces =
      descriptor.bDeviceClass == LIBUSB_CLASS_PER_INTERFACE || descriptor.bDeviceClass == LIBUSB_CLASS_MISCELLANEOUS;
  info.classes = is_of_interfaces ? info.interfaces : std::vector<InterfaceClass>{info.device_class};
  info.speed = speed_of(device);
  info.manufacturer = usbredir::printable(platform::attribute(info.place, "manufacturer"));
  info.product_name = usbredir::printable(platform::attribute(info.place, "product"));
  info.serial = platform::attribute(info.place, "serial");
  return info;
}

tl::unexpected<Error> libusb_failure(std::string operation, std::string object, int code) {
  return make_error(ErrorKind::internal, std::move(operation), std::move(object), libusb_strerror(code));
}

}  // namespace

void UsbContextDeleter::operator()(libusb_context* context) const { libusb_exit(context); }
void UsbDeviceDeleter::operator()(libusb_device* device) const { libusb_unref_device(device); }
void UsbHandleDeleter::operator()(libusb_device_handle* handle) const { libusb_close(handle); }

std::string LocalDevice::bus_device() const { return to_string(Selector(BusDevice{place.bus, place.address})); }

std::string LocalDevice::port_path() const {
  const std::string bus = std::to_string(place.bus);
  return place.ports.empty() ? "usb" + bus : bus + "-" + place.ports;
}

std::string LocalDevice::id() const { return to_string(Selector(VendorProduct{vendor, product})); }

std::string LocalDevice::line() const {
  std::string text = bus_device() + "  " + id();
  if (!manufacturer.empty()) text += "  " + manufacturer;
  if (!product_name.empty()) text += (manufacturer.empty() ? "  " : " ") + product_name;
  text += "  port=" + port_path();
  if (!serial.empty()) text += "  serial=" + usbredir::printable(serial);
  return text;
}

Result<UsbDevices> UsbDevices::list() {
  auto list = list_now();
  for (int tries = 0; tries < kResetTries && list && list->any_in_reset(); ++tries) {
    std::this_thread::sleep_for(kResetPause);  // nothing tells of the end of somebody else's reset
    list = list_now();
  }
  return list;
}

bool UsbDevices::any_in_reset() const {
  return std::any_of(infos_.begin(), infos_.end(), [](const auto& info) { return info.place.address == 0; });
}

Result<UsbDevices> UsbDevices::list_now() {
  constexpr const char* kNoUsb = "--emulate stick,image=FILE redirects an emulated device instead.";
  libusb_context* raw = nullptr;
  if (const int code = libusb_init(&raw); code != 0) {
    return make_error(ErrorKind::unavailable, "list", "the USB devices", libusb_strerror(code), kNoUsb);
  }
  UsbDevices list{UsbContextPtr(raw)};
  libusb_device** devices = nullptr;
  const auto count = libusb_get_device_list(raw, &devices);
  if (count < 0) return libusb_failure("list", "the USB devices", static_cast<int>(count));
  std::vector<std::pair<LocalDevice, UsbDevicePtr>> found;
  for (std::ptrdiff_t index = 0; index < count; ++index) {
    UsbDevicePtr device(devices[index]);
    libusb_device_descriptor descriptor{};
    if (libusb_get_device_descriptor(device.get(), &descriptor) != 0) continue;
    found.emplace_back(describe(device.get(), descriptor), std::move(device));
  }
  libusb_free_device_list(devices, 0);
  if (found.empty() && !platform::has_usb()) {
    return make_error(ErrorKind::unavailable, "list", "the USB devices", "this machine has no USB", kNoUsb);
  }
  std::sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    return std::pair(left.first.place.bus, left.first.place.address) <
           std::pair(right.first.place.bus, right.first.place.address);
  });
  for (auto& [info, device] : found) {
    list.infos_.push_back(std::move(info));
    list.devices_.push_back(std::move(device));
  }
  return list;
}

Result<UsbHandlePtr> UsbDevices::open(std::size_t index) const {
  const LocalDevice& info = infos_.at(index);
  libusb_device_handle* handle = nullptr;
  const int code = libusb_open(devices_.at(index).get(), &handle);
  if (code == 0) return UsbHandlePtr(handle);
  const std::string node = platform::device_node(info.place);
  const std::string object =
      "device " + info.bus_device() + " (" + info.id() + ")" + (node.empty() ? "" : " at " + node);
  switch (code) {
    case LIBUSB_ERROR_ACCESS:
      return make_error(ErrorKind::denied, "open", object, "Permission denied",
                        platform::permission_hint(info.place, info.id().substr(0, 4), info.id().substr(5)));
    case LIBUSB_ERROR_NO_DEVICE:
    case LIBUSB_ERROR_NOT_FOUND:
      return make_error(ErrorKind::not_found, "open", object, "it has been unplugged",
                        "Plug it in again, and look with the command list what is there.");
    default:
      return make_error(ErrorKind::internal, "open", object, libusb_strerror(code),
                        "If it has just been unplugged, plug it in again; dmesg has the kernel's word.");
  }
}

}  // namespace usbloop::client
