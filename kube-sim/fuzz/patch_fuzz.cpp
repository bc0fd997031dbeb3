#include <array>
#include <cstdlib>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/objects/codec.h"
#include "kube-sim/objects/patch.h"

namespace usbloop::apiserver::fuzz {

// The first byte chooses the kind of patch; then come the patch, a NUL, and the object that it is applied to.
void patch(std::span<const std::byte> input) {
  constexpr std::array kTypes = {PatchType::json, PatchType::merge, PatchType::strategic_merge, PatchType::apply};
  const PatchType type = kTypes.at(choose(input, kTypes.size()));
  const std::string text = text_of(input);
  const auto end = text.find('\0');
  if (end == std::string::npos) return;
  const auto change = parse_patch(type, text.substr(0, end));
  const auto current = parse_json(std::string_view(text).substr(end + 1));
  if (!change || !current || !current->is_object()) return;
  static const MergeSchema kSchema({"metadata.finalizers set", "spec.containers name", "spec.containers[].ports a,b"});
  const auto patched = apply_patch(type, *current, *change, kSchema);
  if (!patched) return;
  if (!depth_is_fine(*patched)) std::abort();
  (void)patched->dump();
}

}  // namespace usbloop::apiserver::fuzz
