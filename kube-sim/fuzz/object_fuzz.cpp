#include <array>
#include <cstdlib>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver::fuzz {

// The body of a request in each of its forms. What is accepted must be bounded in depth, and be written again.
void object(std::span<const std::byte> input) {
  constexpr std::array<const char*, 3> kTypes = {"application/json", "application/yaml",
                                                 "application/vnd.kubernetes.protobuf"};
  const unsigned type = choose(input, kTypes.size());
  const auto tree = decode_object(kTypes.at(type), text_of(input));
  if (!tree) return;
  if (!depth_is_fine(*tree)) std::abort();
  (void)tree->dump();
}

}  // namespace usbloop::apiserver::fuzz
