#include "usbredir/capture/reader.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "usbredir/capture/usbmon.h"

namespace usbloop::capture {
namespace {

constexpr std::size_t kBlockHead = 8;
constexpr std::size_t kLeastBlock = 12;
constexpr std::uint32_t kSwappedMagic = 0x4d3c2b1a;

std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

template <typename Number>
Number number_at(std::span<const std::byte> bytes, std::size_t at) {
  Number value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Options up to their end, or to the first that is cut.
void each_option(std::span<const std::byte> bytes,
                 const std::function<void(std::uint16_t, std::span<const std::byte>)>& take) {
  while (bytes.size() >= 4) {
    const auto code = number_at<std::uint16_t>(bytes, 0);
    const std::size_t size = number_at<std::uint16_t>(bytes, 2);
    bytes = bytes.subspan(4);
    if (code == option_code::kEnd || size > bytes.size()) return;
    take(code, bytes.first(size));
    bytes = bytes.subspan(std::min(padded(size), bytes.size()));
  }
}

std::string text_of_option(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

tl::unexpected<Error> CaptureReader::broken(std::string cause) const {
  return make_error(ErrorKind::protocol, "read the capture", "at byte " + std::to_string(block_at_), std::move(cause));
}

std::vector<std::byte> CaptureReader::read_bytes(std::size_t count) {
  constexpr std::size_t kAtOnce = 256 * 1024;  // what a file says is there need not be
  std::vector<std::byte> bytes;
  while (bytes.size() < count && in_.good()) {
    const std::size_t before = bytes.size();
    bytes.resize(std::min(count, before + kAtOnce));
    in_.read(reinterpret_cast<char*>(bytes.data() + before), static_cast<std::streamsize>(bytes.size() - before));
    bytes.resize(before + static_cast<std::size_t>(in_.gcount()));
  }
  position_ += bytes.size();
  return bytes;
}

/// What can be said of a block before its body is read.
Result<> CaptureReader::check_head(std::uint32_t type, std::size_t size) const {
  if (!in_section_ && type != block_type::kSection) return broken("this is no pcapng file");
  if (size < kLeastBlock || size % 4 != 0) return broken("a block of " + std::to_string(size) + " bytes is none");
  if (size > kLongestBlock) {
    return broken("a block of " + std::to_string(size) + " bytes is longer than the limit of " +
                  std::to_string(kLongestBlock));
  }
  return {};
}

Result<std::optional<CaptureReader::Block>> CaptureReader::next_block() {
  block_at_ = position_;
  auto head = read_bytes(kBlockHead);
  const bool is_end = head.empty() && block_at_ > 0;
  if (!is_end && head.size() < kBlockHead && !in_section_) return broken("this is no pcapng file");
  cut_ = !is_end && head.size() < kBlockHead;
  if (is_end || cut_) return std::nullopt;
  Block block;
  block.type = number_at<std::uint32_t>(head, 0);
  const std::size_t size = number_at<std::uint32_t>(head, 4);
  if (block.type == block_type::kSection) {
    // The magic number tells whether the length before it can be read.
    block.body = read_bytes(sizeof kByteOrderMagic);
    if (block.body.size() == sizeof kByteOrderMagic && number_at<std::uint32_t>(block.body, 0) == kSwappedMagic)
      return broken("it was written by a machine of another byte order, which is not supported");
  }
  if (auto fine = check_head(block.type, size); !fine) return tl::unexpected(fine.error());
  const auto rest = read_bytes(size - kBlockHead - block.body.size());
  block.body.insert(block.body.end(), rest.begin(), rest.end());
  cut_ = block.body.size() < size - kBlockHead;
  if (cut_) return std::nullopt;
  const std::size_t end = block.body.size() - sizeof(std::uint32_t);
  if (number_at<std::uint32_t>(block.body, end) != size) return broken("a block does not end with its own length");
  block.body.resize(end);
  return block;
}

Result<> CaptureReader::begin_section(std::span<const std::byte> body) {
  constexpr std::size_t kFixed = 16;
  if (body.size() < kFixed) return broken("the section's header is too short");
  if (number_at<std::uint32_t>(body, 0) != kByteOrderMagic) return broken("the section's magic number is wrong");
  if (number_at<std::uint16_t>(body, 4) != 1) return broken("it is of another version of pcapng than 1");
  in_section_ = true;
  interfaces_.clear();
  return {};
}

Result<> CaptureReader::add_interface(std::span<const std::byte> body) {
  constexpr std::size_t kFixed = 8;
  if (body.size() < kFixed) return broken("the description of an interface is too short");
  if (interfaces_.size() >= kMostInterfaces)
    return broken("it has more interfaces than " + std::to_string(kMostInterfaces));
  Interface interface;
  interface.link_type = number_at<std::uint16_t>(body, 0);
  each_option(body.subspan(kFixed), [&](std::uint16_t code, std::span<const std::byte> value) {
    if (code == option_code::kName) interface.name = text_of_option(value);
    if (code == option_code::kDescription) interface.description = text_of_option(value);
    if (code == option_code::kSpeed && value.size() == sizeof interface.speed)
      interface.speed = number_at<std::uint64_t>(value, 0);
  });
  interfaces_.push_back(std::move(interface));
  return {};
}

Result<std::optional<Record>> CaptureReader::read_packet(std::span<const std::byte> body) const {
  constexpr std::size_t kFixed = 20, kCapturedAt = 12, kOriginalAt = 16;
  if (body.size() < kFixed) return broken("a record is too short");
  Record record;
  record.interface = number_at<std::uint32_t>(body, 0);
  if (record.interface >= interfaces_.size()) return broken("a record of an interface that was not described");
  if (interfaces_[record.interface].link_type != kLinkType) return std::nullopt;
  const std::size_t captured = number_at<std::uint32_t>(body, kCapturedAt);
  const std::size_t original = number_at<std::uint32_t>(body, kOriginalAt);
  body = body.subspan(kFixed);
  if (captured > body.size()) return broken("a record is longer than its block");
  auto urb = read_usbmon(body.first(captured));
  if (!urb) return broken(urb.error().cause);
  record.urb = std::move(*urb);
  // What was left out when it was captured (--capture-snap): the header counts what was kept.
  if (original > captured) record.urb.whole = std::max(record.urb.whole, record.urb.data.size() + original - captured);
  each_option(body.subspan(std::min(padded(captured), body.size())),
              [&](std::uint16_t code, std::span<const std::byte> value) {
                if (code == option_code::kComment) record.urb.comment = text_of_option(value);
                if (code == option_code::kPacketDropCount && value.size() == sizeof record.lost)
                  record.lost = number_at<std::uint64_t>(value, 0);
              });
  return record;
}

Result<std::optional<Record>> CaptureReader::next() {
  while (true) {
    auto block = next_block();
    if (!block) return tl::unexpected(block.error());
    if (!*block) return std::nullopt;
    Result<> fine;
    if ((*block)->type == block_type::kSection) fine = begin_section((*block)->body);
    if ((*block)->type == block_type::kInterface) fine = add_interface((*block)->body);
    if (!fine) return tl::unexpected(fine.error());
    if ((*block)->type != block_type::kPacket) continue;
    auto record = read_packet((*block)->body);
    if (!record || *record) return record;
  }
}

}  // namespace usbloop::capture
