#include <usbredirfilter.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "client/devices/filter_rules.h"
#include "client/fuzz/targets.h"

namespace usbloop::client::fuzz {

namespace {

struct RulesDeleter {
  void operator()(usbredirfilter_rule* rules) const { usbredirfilter_free(rules); }
};

bool same(const usbredirfilter_rule& left, const usbredirfilter_rule& right) {
  return left.device_class == right.device_class && left.vendor_id == right.vendor_id &&
         left.product_id == right.product_id && left.device_version_bcd == right.device_version_bcd &&
         left.allow == right.allow;
}

}  // namespace

// What we accept as rules the library accepts too, and means the same; and a refusal is told exactly when the library
// refuses.
void filter_rules(std::span<const std::byte> input) {
  const std::string text(reinterpret_cast<const char*>(input.data()), input.size());
  FilterRules rules;
  if (!rules.add(text)) {
    if (!rules.empty()) std::abort();
    return;
  }
  usbredirfilter_rule* raw = nullptr;
  int count = 0;
  if (usbredirfilter_string_to_rules(text.c_str(), ",", "|", &raw, &count) != 0) std::abort();
  const std::unique_ptr<usbredirfilter_rule, RulesDeleter> of_library(raw);
  if (static_cast<std::size_t>(count) != rules.all().size()) std::abort();
  for (std::size_t index = 0; index < rules.all().size(); ++index) {
    if (!same(raw[index], rules.all()[index])) std::abort();
  }
  const FilteredDevice stick{0x951, 0x1666, 0x110, {}, {{8, 6, 0x50}, {3, 1, 1}}};
  std::uint8_t classes[] = {8, 3};
  std::uint8_t subclasses[] = {6, 1};
  std::uint8_t protocols[] = {0x50, 1};
  const int outcome =
      usbredirfilter_check(raw, count, 0, 0, 0, classes, subclasses, protocols, 2, 0x951, 0x1666, 0x110, 0);
  if (rules.refusal(stick).has_value() != (outcome != 0)) std::abort();
}

}  // namespace usbloop::client::fuzz
