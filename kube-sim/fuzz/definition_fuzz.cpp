#include <algorithm>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/resources/custom_definition.h"
#include "kube-sim/resources/custom_resource.h"

namespace usbloop::apiserver::fuzz {

// A CustomResourceDefinition on the first line, and an object of its kind. A definition that nothing is said against
// makes a kind, which takes any object.
void definition(std::span<const std::byte> input) {
  const std::string all = text_of(input);
  const std::size_t end = std::min(all.find('\n'), all.size());
  auto tree = parse_json(all.substr(0, end));
  // What the schema of definitions asks for.
  if (!tree || !tree->is_object() || !(*tree)["spec"].is_object()) return;
  if (!(*tree)["metadata"].is_object()) return;
  static const CustomDefinitionResource kDefinitions;
  kDefinitions.add_defaults(*tree);
  if (!kDefinitions.validate(*tree).empty()) return;
  kDefinitions.prepare_create(*tree, "2026-01-01T00:00:00Z");
  (void)unserved_parts(*tree);
  const CustomResource kind(*tree);
  auto object = parse_json(end < all.size() ? std::string_view(all).substr(end + 1) : "{}");
  if (!object || !object->is_object()) return;
  std::vector<std::string> unknown;
  kind.prune(*object, &unknown);
  kind.add_defaults(*object);
  (void)kind.validate(*object);
  (void)kind.cells(*object, 0);
}

}  // namespace usbloop::apiserver::fuzz
