#include <cstddef>
#include <cstdint>
#include <span>

// USBLOOP_FUZZ_TARGET names the function, USBLOOP_FUZZ_HEADER the file that declares it.
#include USBLOOP_FUZZ_HEADER

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  USBLOOP_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
