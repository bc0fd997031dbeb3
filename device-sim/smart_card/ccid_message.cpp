#include "device-sim/smart_card/ccid_message.h"

#include <algorithm>
#include <utility>

namespace usbloop::device_sim {

CcidHeader CcidHeader::read(std::span<const std::byte> message) {
  const auto octet = [message](std::size_t at) { return std::to_integer<std::uint8_t>(message[at]); };
  CcidHeader header;
  header.type = octet(0);
  for (std::size_t at = 4; at > 0; --at) header.length = header.length << 8 | octet(at);
  header.slot = octet(5);
  header.sequence = octet(6);
  header.rest = {octet(7), octet(8), octet(9)};
  return header;
}

std::vector<std::byte> write_ccid(CcidHeader header, std::span<const std::byte> body) {
  std::vector<std::byte> message;
  message.reserve(CcidHeader::kSize + body.size());
  const auto put = [&message](std::uint64_t value) { message.push_back(static_cast<std::byte>(value & 0xff)); };
  put(header.type);
  for (unsigned shift = 0; shift < 32; shift += 8) put(body.size() >> shift);
  put(header.slot);
  put(header.sequence);
  for (const std::uint8_t value : header.rest) put(value);
  message.insert(message.end(), body.begin(), body.end());
  return message;
}

CcidCollector::State CcidCollector::add(std::span<const std::byte> transfer, std::size_t packet) {
  // An empty packet that ends a message which is complete without it.
  if (transfer.empty() && message_.empty()) return State::more;
  if (transfer.size() > kLongest - message_.size()) {
    clear();
    return State::broken;
  }
  message_.insert(message_.end(), transfer.begin(), transfer.end());
  const bool has_header = message_.size() >= CcidHeader::kSize;
  const bool has_all = has_header && message_.size() - CcidHeader::kSize >= CcidHeader::read(message_).length;
  const bool is_ended = transfer.size() % packet != 0 || transfer.empty();
  if (has_all || (has_header && is_ended)) return State::complete;
  if (!is_ended) return State::more;
  clear();
  return State::broken;
}

std::vector<std::byte> CcidCollector::take() { return std::exchange(message_, {}); }

}  // namespace usbloop::device_sim
