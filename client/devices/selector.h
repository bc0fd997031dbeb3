#pragma once

#include "usbredir/selector.h"

// How a person names a device, here and on a desk of emulated ones.
namespace usbloop::client {

using usbredir::BusDevice;
using usbredir::parse_selector;
using usbredir::PortPath;
using usbredir::Selector;
using usbredir::SerialNumber;
using usbredir::to_string;
using usbredir::VendorProduct;

}  // namespace usbloop::client
