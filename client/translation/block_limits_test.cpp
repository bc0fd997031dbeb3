#include "client/translation/block_limits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>

using namespace usbloop;
using client::BlockLimits;
using uas::Direction;
using uas::Movement;
using uas::Outcome;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A disk with pages of vital product data. It says "not yet" once to every question.
class PagedDisk final : public uas::LogicalUnit {
 public:
  std::optional<Movement> begin(std::span<const std::byte, 16> block, const Movement& offered) override {
    if (not_yet()) return std::nullopt;
    std::copy(block.begin(), block.end(), command.begin());
    room = offered.bytes;
    page = std::to_integer<std::uint8_t>(block[2]);
    return Movement{Direction::in, offered.bytes};
  }
  std::optional<std::size_t> produce(std::span<std::byte> into) override {
    if (not_yet()) return std::nullopt;
    if (!pages.contains(page)) return 0;
    const auto bytes = std::as_bytes(std::span(pages[page]));
    const std::size_t size = std::min(bytes.size(), into.size());
    std::copy_n(bytes.begin(), size, into.begin());
    return size;
  }
  std::optional<std::size_t> accept(std::span<const std::byte>) override { return std::nullopt; }
  std::optional<Outcome> end() override {
    if (not_yet()) return std::nullopt;
    if (pages.contains(page)) return Outcome{};
    return Outcome{Outcome::kCheckCondition, uas::fixed_sense(sense_key, 0x24, 0)};
  }
  void abort() override { ++aborts; }
  void reset() override {}

  std::map<std::uint8_t, Bytes> pages = {{0x00, {0, 0x00, 0, 3, 0x00, 0x80, 0x83}}};
  std::uint8_t sense_key = 5;
  std::array<std::byte, 16> command{};
  std::uint64_t room = 0;
  int aborts = 0;

 private:
  bool not_yet() { return (waits_ = !waits_); }
  bool waits_ = false;
  std::uint8_t page = 0;
};

/// What a host gets.
struct PageAnswer {
  Bytes data;
  std::uint8_t status = Outcome::kGood;
};

struct FarDisk {
  PagedDisk disk;
  std::uint64_t block_size = 512;
  BlockLimits limits{disk, [this] { return block_size; }};

  template <typename Ask>
  static auto patiently(Ask ask) {
    auto got = ask();
    for (int tries = 0; !got && tries < 10; ++tries) got = ask();
    REQUIRE(got);
    return *got;
  }

  PageAnswer ask(std::uint8_t page, std::uint8_t allocation = 255, std::size_t piece = 255) {
    std::array<std::byte, 16> block{std::byte{0x12}, std::byte{1}, std::byte{page}, std::byte{0},
                                    std::byte{allocation}};
    Movement movement = patiently([&] { return limits.begin(block, {Direction::in, allocation}); });
    PageAnswer answer;
    std::array<std::byte, 255> room{};
    while (movement.bytes > 0) {
      const auto part = std::span(room).first(std::min<std::size_t>(piece, movement.bytes));
      const std::size_t got = patiently([&] { return limits.produce(part); });
      for (const std::byte byte : part.first(got)) answer.data.push_back(std::to_integer<std::uint8_t>(byte));
      movement.bytes -= got;
      if (got < part.size()) break;
    }
    answer.status = patiently([&] { return limits.end(); }).status;
    return answer;
  }
};

Bytes limits_page(Bytes beginning = {}) {
  Bytes page(64);
  page[1] = 0xb0;
  page[3] = 60;
  std::copy(beginning.begin(), beginning.end(), page.begin() + 4);
  return page;
}

}  // namespace

TEST_CASE("a disk without Block Limits has the page, with what reads far ahead, and lists it in its place") {
  FarDisk far;
  CHECK(far.ask(0x00).data == Bytes{0, 0x00, 0, 4, 0x00, 0x80, 0x83, 0xb0});
  CHECK(far.disk.room == 255);
  CHECK(far.ask(0xb0).data == limits_page({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0}));  // 2048 blocks
  far.block_size = 4096;
  CHECK(far.ask(0xb0).data == limits_page({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0}));
  far.disk.pages[0x00] = {0, 0x00, 0, 3, 0x00, 0x83, 0xb1};
  CHECK(far.ask(0x00).data == Bytes{0, 0x00, 0, 4, 0x00, 0x83, 0xb0, 0xb1});
  // A disk that ignores what it is asked for, and gives its standard answer.
  far.disk.pages[0xb0] = {0, 0x80, 6, 2, 31};
  CHECK(far.ask(0xb0).data == limits_page({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0}));
}

TEST_CASE("a host that has room for less gets the beginning, in the pieces that it asks for") {
  FarDisk far;
  CHECK(far.ask(0x00, 4).data == Bytes{0, 0x00, 0, 4});
  CHECK(far.ask(0x00, 8, 3).data == Bytes{0, 0x00, 0, 4, 0x00, 0x80, 0x83, 0xb0});
  CHECK(far.ask(0xb0, 20, 7).data.size() == 20);
}

TEST_CASE("of the disk's own Block Limits only the optimum is raised, within the disk's bounds") {
  FarDisk far;
  far.disk.pages[0x00] = {0, 0x00, 0, 2, 0x00, 0xb0};
  CHECK(far.ask(0x00).data == Bytes{0, 0x00, 0, 2, 0x00, 0xb0});
  // Flags, the granularity; the longest transfer; the optimum; prefetch.
  far.disk.pages[0xb0] = limits_page({1, 2, 0, 8, 0, 0, 0x04, 0x03, 0, 0, 0, 64, 0, 0, 9, 9});
  CHECK(far.ask(0xb0).data == limits_page({1, 2, 0, 8, 0, 0, 0x04, 0x03, 0, 0, 0x04, 0, 0, 0, 9, 9}));
  far.disk.pages[0xb0] = limits_page({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0});
  CHECK(far.ask(0xb0).data == far.disk.pages[0xb0]);
  far.disk.pages[0xb0] = {0, 0xb0, 0, 4, 0, 0, 0, 0};  // too short to be one
  CHECK(far.ask(0xb0).data == far.disk.pages[0xb0]);
}

TEST_CASE("nothing is said for a disk that does not list its pages, nor in place of another failure") {
  FarDisk far;
  for (const Bytes& list : {Bytes{0, 0x80, 6, 2, 31, 0, 0, 0}, Bytes{0, 0x00, 0, 200, 0x00, 0x80}, Bytes{0, 0x00}}) {
    far.disk.pages[0x00] = list;
    CHECK(far.ask(0x00).data == list);
    CHECK(far.ask(0xb0).status == Outcome::kCheckCondition);
  }
  far.disk.pages.erase(0x00);
  CHECK(far.ask(0x00).status == Outcome::kCheckCondition);
  CHECK(far.ask(0xb0).status == Outcome::kCheckCondition);
  far.disk.pages[0x00] = {0, 0x00, 0, 1, 0x00};
  CHECK(far.ask(0x00).data.size() == 6);
  far.disk.sense_key = 0x0b;  // the transport has failed
  CHECK(far.ask(0xb0).status == Outcome::kCheckCondition);
  far.disk.sense_key = 5;
  CHECK(far.ask(0xb0).status == Outcome::kGood);
}

TEST_CASE("every other command goes to the disk as it is") {
  FarDisk far;
  far.disk.pages[0x80] = {0, 0x80, 0, 2, 'A', 'B'};
  CHECK(far.ask(0x80, 36).data == far.disk.pages[0x80]);
  CHECK(far.disk.command[4] == std::byte{36});
  CHECK(far.disk.room == 36);
}

TEST_CASE("a command is given up where it is: with the disk, or no longer") {
  FarDisk far;
  std::array<std::byte, 16> block{std::byte{0x12}, std::byte{1}, std::byte{0}, std::byte{0}, std::byte{8}};
  const auto begin = [&] { FarDisk::patiently([&] { return far.limits.begin(block, {Direction::in, 8}); }); };
  begin();
  far.limits.abort();
  CHECK(far.disk.aborts == 1);
  begin();
  std::array<std::byte, 8> room{};
  CHECK(FarDisk::patiently([&] { return far.limits.produce(room); }) == 8);
  far.limits.abort();
  CHECK(far.disk.aborts == 1);
  CHECK(far.ask(0x00).data.size() == 8);
}
