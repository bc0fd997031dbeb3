#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "client/translation/block_limits.h"
#include "client/translation/bulk_only_initiator.h"
#include "client/translation/fuzz/targets.h"
#include "client/translation/stick_link.h"
#include "device-sim/emulation/device.h"
#include "device-sim/emulation/emulated_host.h"
#include "device-sim/storage/storage_descriptors.h"
#include "uas/target.h"

namespace usbloop::client::fuzz {
namespace {

using device_sim::ControlReply;
using device_sim::InReply;
using device_sim::OutReply;
using usbredir::TransferStatus;

/// The bytes of the input, one after the other; zeros when it is used up.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> input) : left_(input) {}
  [[nodiscard]] bool empty() const { return left_.empty(); }
  unsigned next() {
    if (left_.empty()) return 0;
    const auto value = std::to_integer<unsigned>(left_[0]);
    left_ = left_.subspan(1);
    return value;
  }
  std::size_t fill(std::span<std::byte> room) {
    const std::size_t size = std::min(room.size(), left_.size());
    std::copy_n(left_.begin(), size, room.begin());
    left_ = left_.subspan(size);
    return size;
  }

 private:
  std::span<const std::byte> left_;
};

/// A stick that answers with what the input says.
class AnyStick final : public device_sim::Device {
 public:
  explicit AnyStick(Bytes& bytes)
      : bytes_(bytes),
        descriptors_(device_sim::storage_descriptors(description_, device_sim::write_bulk_only_interface)) {}

  [[nodiscard]] const usbredir::DeviceDescription& description() const override { return description_; }
  [[nodiscard]] const device_sim::DescriptorSet& descriptors() const override { return descriptors_; }
  void reset() override {}
  ControlReply request(const device_sim::SetupPacket& setup, std::span<const std::byte>) override {
    if (bytes_.next() % 4 == 0) return {};
    if (!setup.is_in()) return {TransferStatus::success, {}};
    return {TransferStatus::success, {static_cast<std::byte>(bytes_.next() & 1)}};
  }
  OutReply out(device_sim::Pipe, std::span<const std::byte> data) override {
    constexpr std::size_t kWrapper = 31;
    if (data.size() == kWrapper) std::copy_n(data.begin() + 4, tag_.size(), tag_.begin());
    switch (bytes_.next() % 16) {
      case 0: return OutReply::failed(TransferStatus::stall);
      case 1: return OutReply::failed(TransferStatus::io_error);
      case 2: return OutReply::taken(data.size() / 2);
      case 3: return OutReply::not_yet();
      default: return OutReply::taken(data.size());
    }
  }
  InReply in(device_sim::Pipe, std::span<std::byte> room) override {
    switch (bytes_.next() % 16) {
      case 0: return InReply::stall();
      case 1: return InReply::failed(TransferStatus::babble);
      case 2: return InReply::not_yet();
      case 3: return InReply::data(0);
      case 4:
      case 5: return InReply::data(bytes_.fill(room.first(std::min<std::size_t>(room.size(), bytes_.next()))));
      case 6:
      case 7:
      case 8: std::fill(room.begin(), room.end(), std::byte{1}); return InReply::data(room.size());
      default: return status(room);
    }
  }
  bool clear_halt(std::uint8_t) override { return bytes_.next() % 8 != 0; }
  Result<> flush() override { return {}; }

 private:
  /// A status wrapper of the right command, with a residue and a status of the input's.
  InReply status(std::span<std::byte> room) {
    std::array<std::byte, 13> wrapper{std::byte{'U'}, std::byte{'S'}, std::byte{'B'}, std::byte{'S'}};
    std::copy(tag_.begin(), tag_.end(), wrapper.begin() + 4);
    const unsigned flavour = bytes_.next();
    if (flavour % 4 == 1) bytes_.fill(std::span(wrapper).subspan(8, 4));
    wrapper[12] = static_cast<std::byte>(flavour / 4 % 4);
    const std::size_t size = std::min(room.size(), wrapper.size());
    std::copy_n(wrapper.begin(), size, room.begin());
    return InReply::data(size);
  }

  Bytes& bytes_;
  usbredir::DeviceDescription description_{0x0951, 0x1666, usbredir::Speed::super, "", "", "", ""};
  const device_sim::DescriptorSet descriptors_;
  std::array<std::byte, 4> tag_{};
};

std::vector<std::byte> command_unit(std::uint16_t tag, Bytes& bytes) {
  constexpr std::uint8_t kBlocks[][6] = {{0x12, 1, 0, 0, 255}, {0x12, 1, 0xb0, 0, 64}, {0x25}, {0x28}, {0x2a}, {0x35},
                                         {0x9e, 0x10}};
  constexpr std::size_t kBlock = 16, kUnit = 32;
  std::vector<std::byte> unit(kUnit);
  unit[0] = std::byte{1};
  unit[3] = static_cast<std::byte>(tag);
  const unsigned which = bytes.next() % 8;
  const auto block = std::span(unit).subspan(kBlock);
  if (which < std::size(kBlocks)) std::copy_n(std::as_bytes(std::span(kBlocks[which])).begin(), 6, block.begin());
  bytes.fill(which < std::size(kBlocks) ? block.subspan(5) : block);
  return unit;
}

}  // namespace

// Calls of a host: one byte what, one byte the tag, one byte the size. Between them the stick's answers.
void stick_answers(std::span<const std::byte> input) {
  Bytes bytes(input);
  auto host = device_sim::EmulatedHost::make(std::make_unique<AnyStick>(bytes));
  if (!host) std::abort();
  StickLink link(**host);
  link.pump();
  if (link.state() != StickLink::State::ready) return;
  BulkOnlyInitiator initiator(link);
  BlockLimits limits(initiator, [&] { return initiator.block_size(); });
  constexpr std::uint16_t kTags = 4;
  std::array<uas::Movement, kTags + 1> offered{};
  uas::Target target(limits, [&](std::uint16_t tag) { return offered.at(tag); });
  target.restart(kTags);
  std::vector<std::byte> room(std::size_t{64} << 10);
  while (!bytes.empty()) {
    const unsigned what = bytes.next() % 16;
    const auto tag = static_cast<std::uint16_t>(1 + bytes.next() % kTags);
    const unsigned size = bytes.next();
    const auto part = std::span(room).first(size * std::size_t{256});
    switch (what) {
      case 0: target.restart(kTags); break;
      case 1: initiator.recover(); break;
      case 2:
      case 3: offered.at(tag) = {uas::Direction::in, part.size()}; break;
      case 4: offered.at(tag) = {uas::Direction::out, part.size()}; break;
      case 5: offered.at(tag) = {}; break;
      case 6:
      case 7:
      case 8: {
        const auto reply = target.data_in(tag, part);
        if (reply.size > part.size()) std::abort();
        break;
      }
      case 9: {
        const auto reply = target.data_out(tag, part);
        if (reply.size > part.size()) std::abort();
        break;
      }
      case 10:
      case 11: (void)target.status(tag, part); break;
      default: (void)target.command(command_unit(tag, bytes)); break;
    }
    (*host)->look();
    (*host)->serve_waiting();
    link.pump();
    target.advance();
  }
}

}  // namespace usbloop::client::fuzz
