#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/rest/selectors.h"

namespace usbloop::apiserver::fuzz {

void selectors(std::span<const std::byte> input) {
  const bool labels = choose(input, 2) == 0;
  const std::string text = text_of(input);
  const auto selector = labels ? Selector::parse_labels(text) : Selector::parse_fields(text);
  if (!selector) return;
  Fields fields;
  (void)selector->matches(fields);
  for (const Requirement& requirement : selector->requirements()) {
    fields[requirement.key] = requirement.values.empty() ? "" : requirement.values.front();
  }
  (void)selector->matches(fields);
}

}  // namespace usbloop::apiserver::fuzz
