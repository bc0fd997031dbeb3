#include <cstddef>
#include <cstdint>
#include <span>

#include "usbredir/fuzz/targets.h"

// USBLOOP_FUZZ_TARGET names the function.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  usbloop::usbredir::fuzz::USBLOOP_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
