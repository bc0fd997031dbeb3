#include <cstdlib>

#include "apiserver-sim/api/continue_token.h"
#include "apiserver-sim/fuzz/targets.h"
#include "apiserver-sim/fuzz/text.h"

namespace usbloop::apiserver::fuzz {

// A token that a client brings back. What is read must be written so that it is read again.
void continue_token(std::span<const std::byte> input) {
  const bool all_namespaces = choose(input, 2) == 0;
  const std::string in_namespace = all_namespaces ? "" : "default";
  const auto token = decode_continue(text_of(input), all_namespaces, in_namespace);
  if (token && !decode_continue(encode(*token, all_namespaces), all_namespaces, in_namespace)) std::abort();
}

}  // namespace usbloop::apiserver::fuzz
