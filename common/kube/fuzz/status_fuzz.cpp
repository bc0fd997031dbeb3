#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "common/kube/fuzz/targets.h"
#include "common/kube/status.h"

namespace usbloop::kube::fuzz {

// A Status that a server sent: what is read must be written and read again.
void status(std::span<const std::byte> input) {
  const auto read = parse_status({reinterpret_cast<const char*>(input.data()), input.size()});
  if (!read) return;
  if (!parse_status(body(*read))) std::abort();
}

}  // namespace usbloop::kube::fuzz
