#include <array>
#include <cstdlib>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/objects/codec.h"

namespace usbloop::apiserver::fuzz {

namespace {

/// A field of each type that messages have.
constexpr const char* kSchemaText = R"(
package io.k8s.apimachinery.pkg.apis.meta.v1 meta.k8s.io/v1
type ObjectMeta: -
  name string#1 -
  creationTimestamp time#8 -
  labels map[string]#11 -
  managedFields []object#17 -
package io.k8s.api.core.v1 v1
type Part: -
  part Part#1 -
  parts []Part#2 -
  +Inline#3
type Inline: -
  text string#1* -
kind Thing: -
  number int32#2* -
  flag bool#3 -
  bytes bytes#4 -
  entries map[bytes]#5 -
  lists map[[]string]#6 -
  either int-or-string#7 -
  size quantity#8 -
  sizes map[quantity]#9 -
  when microtime#10 -
  part Part#11 -
)";

}  // namespace

// The body of a request in each of its forms. What is accepted must be bounded in depth, and be written again.
void object(std::span<const std::byte> input) {
  constexpr std::array<const char*, 3> kTypes = {"application/json", "application/yaml",
                                                 "application/vnd.kubernetes.protobuf"};
  const unsigned type = choose(input, kTypes.size());
  static const SchemaSet kSchemas({kSchemaText});
  const auto tree = decode_object(kTypes.at(type), text_of(input), kSchemas);
  if (!tree) return;
  if (!depth_is_fine(*tree)) std::abort();
  (void)tree->dump();
}

}  // namespace usbloop::apiserver::fuzz
