#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "uas/fuzz/targets.h"
#include "uas/target.h"

namespace usbloop::uas::fuzz {
namespace {

/// A disk whose answers come from the input too. It notices a Target that breaks the order of its calls.
class AnyUnit final : public LogicalUnit {
 public:
  explicit AnyUnit(unsigned mood) : mood_(mood) {}

  std::optional<Movement> begin(std::span<const std::byte, 16> block, const Movement&) override {
    if (begun_) std::abort();
    if (not_yet()) return std::nullopt;
    begun_ = true;
    const auto operation = std::to_integer<unsigned>(block[0]);
    left_ = std::to_integer<std::uint64_t>(block[1]) << (operation >> 4);
    direction_ = operation % 3 == 0 ? Direction::none : operation % 3 == 1 ? Direction::in : Direction::out;
    return Movement{direction_, left_};
  }
  std::optional<std::size_t> produce(std::span<std::byte> room) override { return move(Direction::in, room.size()); }
  std::optional<std::size_t> accept(std::span<const std::byte> data) override {
    return move(Direction::out, data.size());
  }
  std::optional<Outcome> end() override {
    if (!begun_) std::abort();
    if (not_yet()) return std::nullopt;
    begun_ = false;
    return Outcome{static_cast<std::uint8_t>(mood_ & 2), std::vector<std::byte>(mood_ % 300)};
  }
  void abort() override {
    if (!begun_) std::abort();
    begun_ = false;
  }
  void reset() override {
    if (begun_) std::abort();
  }

 private:
  bool not_yet() { return (mood_ = mood_ * 69069 + 1) % 5 == 0; }
  std::optional<std::size_t> move(Direction direction, std::size_t size) {
    if (!begun_ || direction != direction_ || size == 0 || size > left_) std::abort();
    if (not_yet()) return std::nullopt;
    const std::size_t moved = mood_ % 7 == 0 ? size / 2 : size;
    left_ -= moved;
    return moved;
  }

  unsigned mood_;
  bool begun_ = false;
  Direction direction_ = Direction::none;
  std::uint64_t left_ = 0;
};

}  // namespace

// The first two bytes choose streams and the disk's mood; then calls: one byte what, one byte stream, one byte length,
// and for the command pipe that many bytes.
void target(std::span<const std::byte> input) {
  if (input.size() < 2) return;
  const auto byte = [&input]() -> unsigned {
    if (input.empty()) return 0;
    const auto value = std::to_integer<unsigned>(input[0]);
    input = input.subspan(1);
    return value;
  };
  const std::uint32_t streams = byte() % 20;
  AnyUnit unit(byte());
  Target target(unit);
  target.restart(streams);
  std::array<std::byte, 1024> room{};
  while (!input.empty()) {
    const unsigned what = byte() % 16;
    const unsigned stream = byte();
    const std::size_t size = byte() * 4;
    const auto part = std::span(room).first(size);
    switch (what) {
      case 0: target.reset(); break;
      case 1: target.restart(streams); break;
      case 2: target.advance(); break;
      case 3:
      case 4:
      case 5: (void)target.status(stream, part); break;
      case 6:
      case 7:
      case 8: (void)target.data_in(stream, part); break;
      case 9:
      case 10:
      case 11: (void)target.data_out(stream, part); break;
      default: {
        const auto command = input.first(std::min(input.size(), size / 4 % 40));
        input = input.subspan(command.size());
        (void)target.command(command);
      }
    }
  }
}

}  // namespace usbloop::uas::fuzz
