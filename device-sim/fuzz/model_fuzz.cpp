#include <cstdlib>
#include <memory>
#include <string_view>

#include "device-sim/fuzz/targets.h"
#include "device-sim/model/model_message.h"

/// A line of a program that models a device, as its first one and as an answer.
void usbloop::device_sim::fuzz::model(std::span<const std::byte> input) {
  const std::string_view line(reinterpret_cast<const char*>(input.data()), input.size());
  if (const auto hello = parse_model_hello(line, "model"); hello && hello->descriptors.device.size() != 18)
    std::abort();
  if (const auto answer = parse_model_answer(line); answer && answer->data.size() > kMostModelData) std::abort();
}
