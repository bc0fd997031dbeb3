#pragma once

#include <cstddef>
#include <span>

/// The fuzz targets of this folder (cmake/Fuzz.cmake): each takes any bytes and must neither crash, leak nor hang.
namespace usbloop::kube::fuzz {

void kubeconfig(std::span<const std::byte> input);
void status(std::span<const std::byte> input);

}  // namespace usbloop::kube::fuzz
