#include "client/transport.h"

namespace usbloop::client {

Result<Transport> parse_transport(const std::string& text) {
  if (text == "auto") return Transport::automatic;
  if (text == "uas") return Transport::uas;
  if (text == "bulk-only") return Transport::bulk_only;
  return make_error(ErrorKind::invalid, "use", "--transport", "\"" + text + "\" is not auto, uas or bulk-only");
}

bool is_translated(Transport transport, std::optional<std::chrono::microseconds> round_trip, bool is_fit) {
  if (!is_fit || transport == Transport::bulk_only) return false;
  return transport == Transport::uas || (round_trip && *round_trip >= kLongWay);
}

}  // namespace usbloop::client
