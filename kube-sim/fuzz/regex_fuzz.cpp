#include <algorithm>
#include <cstdlib>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/schema/linear_regex.h"

namespace usbloop::apiserver::fuzz {

// A pattern on the first line, and a text. What fits somewhere in the text still does when something stands around it,
// unless the pattern names the ends.
void regex(std::span<const std::byte> input) {
  const std::string all = text_of(input);
  const std::size_t end = std::min(all.find('\n'), all.size());
  const std::string pattern = all.substr(0, end);
  const std::string text = end < all.size() ? all.substr(end + 1) : std::string();
  const auto compiled = LinearRegex::compile(pattern);
  if (!compiled) return;
  const bool found = compiled->finds(text);
  const bool names_ends = pattern.find_first_of("^$") != std::string::npos;
  if (found && !names_ends && !compiled->finds("x" + text + "x")) std::abort();
}

}  // namespace usbloop::apiserver::fuzz
