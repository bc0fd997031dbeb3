#include <cstdlib>
#include <vector>

#include "device-sim/camera/jpeg_decoder.h"
#include "device-sim/camera/jpeg_head.h"
#include "device-sim/fuzz/targets.h"

/// A JPEG file of a camera's pictures, which is decoded when it is small.
void usbloop::device_sim::fuzz::picture(std::span<const std::byte> input) {
  const auto head = read_jpeg_head(input);
  if (!head) {
    if (head.error().empty()) std::abort();
    return;
  }
  if (head->length > input.size() || head->size.pixels() == 0) std::abort();
  constexpr std::uint32_t kSmall = 256 * 256;
  if (head->size.pixels() > kSmall || head->size.width % 2 != 0) return;
  std::vector<std::byte> yuyv;
  if (JpegDecoder(head->size).decode(input.first(head->length), yuyv) && yuyv.size() != head->size.bytes())
    std::abort();
}
