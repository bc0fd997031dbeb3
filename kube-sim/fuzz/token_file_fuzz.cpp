#include <cstdlib>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/security/token_file.h"

namespace usbloop::apiserver::fuzz {

void token_file(std::span<const std::byte> input) {
  const auto tokens = parse_token_file("tokens.csv", text_of(input));
  if (!tokens) return;
  for (const auto& [token, user] : *tokens) {
    if (token.empty() || user.name.empty()) std::abort();
  }
}

}  // namespace usbloop::apiserver::fuzz
