#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_text.h"
#include "device-sim/desk/desk.h"
#include "device-sim/desk/fuzz/targets.h"
#include "device-sim/desk/protocol.h"

namespace usbloop::desk::fuzz {

namespace {

std::unique_ptr<Desk> small_desk() {
  auto entries = parse_desk("devices:\n- kind: keyboard\n- kind: mouse\n- kind: serial\n", "desk.yaml");
  if (!entries) std::abort();
  auto desk = Desk::make("desk.yaml", std::move(*entries));
  if (!desk) std::abort();
  return std::move(*desk);
}

/// As a visit does it, without a socket.
void perform(Desk& desk, const Request& request, std::vector<std::unique_ptr<Desk::Loan>>& loans) {
  switch (request.what) {
    case Request::What::plug: static_cast<void>(desk.plug(request.device)); break;
    case Request::What::unplug: static_cast<void>(desk.unplug(request.device)); break;
    case Request::What::act: static_cast<void>(desk.act(request.device, request.verb, request.text)); break;
    case Request::What::attach: static_cast<void>(desk.try_image(request.device, request.text)); break;
    case Request::What::release: loans.clear(); break;
    case Request::What::take: {
      const bool was_lent = desk.is_lent(request.device);
      auto loan = desk.lend(request.device, {request.program, 1, 1});
      if (loan && was_lent) std::abort();  // two have it
      if (loan) loans.push_back(std::move(*loan));
      break;
    }
    default: break;
  }
}

}  // namespace

// Lines as they come from a client; each is read as an answer of a desk too.
void desk_control(std::span<const std::byte> input) {
  std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto desk = small_desk();
  std::vector<std::unique_ptr<Desk::Loan>> loans;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (const auto request = parse_request(line)) {
      if (!parse_request(request_line(*request))) std::abort();
      perform(*desk, *request, loans);
    }
    if (const auto object = parse_json_object(line)) {
      static_cast<void>(error_from(*object));
      if (const auto device = device_info_from(*object)) static_cast<void>(device->line());
    }
  }
  for (const auto& device : desk->list()) {
    if (!device_info_from(to_json(device))) std::abort();
  }
}

}  // namespace usbloop::desk::fuzz
