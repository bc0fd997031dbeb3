#include <cstdlib>

#include "kube-sim/fuzz/targets.h"
#include "kube-sim/fuzz/text.h"
#include "kube-sim/rest/continue_token.h"

namespace usbloop::apiserver::fuzz {

// A token that a client brings back. What is read must be written so that it is read again.
void continue_token(std::span<const std::byte> input) {
  const bool all_namespaces = choose(input, 2) == 0;
  const std::string in_namespace = all_namespaces ? "" : "default";
  const auto token = decode_continue(text_of(input), all_namespaces, in_namespace);
  if (token && !decode_continue(encode(*token, all_namespaces), all_namespaces, in_namespace)) std::abort();
}

}  // namespace usbloop::apiserver::fuzz
