#include "client/devices/device_description.h"

#include <libusb.h>

#include <array>
#include <string>

namespace usbloop::client {
namespace {

std::string string_descriptor(libusb_device_handle* handle, std::uint8_t index) {
  std::array<unsigned char, 256> text{};
  if (index == 0) return {};
  const int length = libusb_get_string_descriptor_ascii(handle, index, text.data(), static_cast<int>(text.size()));
  return length <= 0 ? std::string() : std::string(text.begin(), text.begin() + length);
}

}  // namespace

usbredir::DeviceDescription describe_device(libusb_device_handle* handle, const LocalDevice& info) {
  usbredir::DeviceDescription description;
  description.vendor_id = info.vendor;
  description.product_id = info.product;
  description.speed = info.speed;
  description.manufacturer = info.manufacturer;
  description.product = info.product_name;
  description.serial = info.serial;
  description.kind = "device " + info.bus_device();
  libusb_device_descriptor descriptor{};
  if (description.product.empty() && libusb_get_device_descriptor(libusb_get_device(handle), &descriptor) == 0) {
    description.manufacturer = string_descriptor(handle, descriptor.iManufacturer);
    description.product = string_descriptor(handle, descriptor.iProduct);
  }
  return description;
}

}  // namespace usbloop::client
