#include "usbredir/capture/blocks.h"

#include <algorithm>
#include <cstring>

namespace usbloop::capture {
namespace {

/// Makes a block, or the part of it behind the data of a record.
class BlockWriter {
 public:
  template <typename Number>
  BlockWriter& number(Number value) {
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), from, from + sizeof value);
    return *this;
  }
  BlockWriter& bytes(const std::vector<std::byte>& more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  BlockWriter& pad(std::size_t size) {
    bytes_.resize(bytes_.size() + (4 - size % 4) % 4);
    return *this;
  }
  BlockWriter& time(std::chrono::microseconds time) {
    const auto count = static_cast<std::uint64_t>(time.count());
    return number(static_cast<std::uint32_t>(count >> 32)).number(static_cast<std::uint32_t>(count));
  }
  BlockWriter& option(std::uint16_t code, const std::string& text) {
    if (text.empty()) return *this;
    const std::size_t size = std::min<std::size_t>(text.size(), 0xffff);
    number(code).number(static_cast<std::uint16_t>(size));
    const auto* from = reinterpret_cast<const std::byte*>(text.data());
    bytes_.insert(bytes_.end(), from, from + size);
    return pad(size);
  }
  BlockWriter& option(std::uint16_t code, std::uint64_t value) {
    return number(code).number(static_cast<std::uint16_t>(sizeof value)).number(value);
  }
  BlockWriter& end_of_options() { return number(option_code::kEnd).number(std::uint16_t{0}); }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  std::vector<std::byte> take() { return std::move(bytes_); }

  /// The block around what has been written.
  std::vector<std::byte> block(std::uint32_t type) {
    const auto total = static_cast<std::uint32_t>(bytes_.size() + 12);
    BlockWriter whole;
    whole.number(type).number(total).bytes(bytes_).number(total);
    return whole.take();
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

std::vector<std::byte> section_block(const std::string& application) {
  constexpr std::int64_t kUnknownLength = -1;
  BlockWriter body;
  body.number(kByteOrderMagic).number(std::uint16_t{1}).number(std::uint16_t{0}).number(kUnknownLength);
  body.option(option_code::kApplication, application).end_of_options();
  return body.block(block_type::kSection);
}

std::vector<std::byte> interface_block(const Interface& interface) {
  constexpr std::uint32_t kNoLimit = 0;  // control transfers are whole whatever the limit for the others is
  BlockWriter body;
  body.number(interface.link_type).number(std::uint16_t{0}).number(kNoLimit);
  body.option(option_code::kName, interface.name).option(option_code::kDescription, interface.description);
  if (interface.speed > 0) body.option(option_code::kSpeed, interface.speed);
  return body.end_of_options().block(block_type::kInterface);
}

std::vector<std::byte> statistics_block(std::uint32_t interface, std::chrono::microseconds time, std::uint64_t received,
                                        std::uint64_t dropped) {
  BlockWriter body;
  body.number(interface).time(time);
  body.option(option_code::kReceived, received).option(option_code::kDropped, dropped).end_of_options();
  return body.block(block_type::kStatistics);
}

PacketFrame packet_frame(std::uint32_t interface, const Urb& urb, std::uint64_t lost) {
  const auto header = usbmon_header(urb);
  const std::size_t captured = header.size() + urb.data.size();
  BlockWriter tail;
  tail.pad(captured);
  tail.option(option_code::kComment, urb.comment);
  if (lost > 0) tail.option(option_code::kPacketDropCount, lost);
  if (!urb.comment.empty() || lost > 0) tail.end_of_options();
  constexpr std::size_t kFixed = 28;  // type, length, interface, time, both sizes
  const auto total = static_cast<std::uint32_t>(kFixed + captured + tail.size() + sizeof(std::uint32_t));
  tail.number(total);
  BlockWriter head;
  head.number(block_type::kPacket).number(total).number(interface).time(urb.time);
  head.number(static_cast<std::uint32_t>(captured)).number(static_cast<std::uint32_t>(whole_size(urb))).bytes(header);
  return {head.take(), tail.take()};
}

}  // namespace usbloop::capture
