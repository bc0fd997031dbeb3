#include "device-sim/storage/overlay_store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/kinds.h"
#include "device-sim/storage/test_support.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using test::MemoryStore;
using testing::TempDir;
using usbloop::testing::contains;

namespace {

struct Overlay {
  explicit Overlay(std::size_t blocks) {
    auto below = std::make_unique<MemoryStore>(blocks, true);
    auto above = std::make_unique<MemoryStore>(blocks);
    std::fill(above->bytes.begin(), above->bytes.end(), std::byte{0xee});  // what must never be seen
    base = below.get();
    top = above.get();
    store = std::make_unique<OverlayStore>(std::move(below), std::move(above));
  }

  std::vector<std::byte> all() const {
    std::vector<std::byte> bytes(store->size());
    REQUIRE(store->read(0, bytes));
    return bytes;
  }

  MemoryStore* base = nullptr;
  MemoryStore* top = nullptr;
  std::unique_ptr<OverlayStore> store;
};

}  // namespace

TEST_CASE("an overlay shows what was written over what was there, for writes of any place and size") {
  Overlay overlay(1003);  // the last chunk is a part of one
  std::vector<std::byte> expected = overlay.base->bytes;
  const std::vector<std::byte> below = expected;
  CHECK(overlay.all() == expected);
  CHECK_FALSE(overlay.store->read_only());
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const std::size_t at = random() % expected.size();
    const std::size_t size = std::min<std::size_t>(random() % 20000, expected.size() - at);
    const std::vector<std::byte> data(size, static_cast<std::byte>(random()));
    REQUIRE(overlay.store->write(at, data));
    std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
    std::vector<std::byte> part(std::min<std::size_t>(30000, expected.size() - at));
    REQUIRE(overlay.store->read(at, part));
    CHECK(std::equal(part.begin(), part.end(), expected.begin() + static_cast<std::ptrdiff_t>(at)));
  }
  const bool last = static_cast<bool>(overlay.store->write(expected.size() - 1, std::vector<std::byte>(1)));
  CHECK(last);
  expected.back() = std::byte{0};
  CHECK(overlay.all() == expected);
  CHECK(overlay.base->bytes == below);
}

TEST_CASE("a write that the overlay has no place for is an error, and the old content stays") {
  Overlay overlay(64);
  const auto before = overlay.all();
  overlay.top->fail_writes = true;
  CHECK_FALSE(overlay.store->write(0, std::vector<std::byte>(OverlayStore::kChunk)));
  CHECK_FALSE(overlay.store->write(100, std::vector<std::byte>(10)));
  CHECK(overlay.all() == before);
}

TEST_CASE("a disk with an overlay leaves its image to other readers, and excludes ro") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 8192);
  const auto one = make_host_end("stick,overlay,image=" + image);
  REQUIRE(one);
  CHECK(make_host_end("ssd,overlay,image=" + image));
  CHECK(make_host_end("stick,ro,image=" + image));
  const auto both = make_host_end("stick,overlay,ro,image=" + image);
  REQUIRE_FALSE(both);
  CHECK(contains(both.error().cause, "ro and overlay exclude each other"));
  const auto value = make_host_end("stick,overlay=yes,image=" + image);
  REQUIRE_FALSE(value);
  CHECK(contains(value.error().cause, "overlay takes no value"));
}

TEST_CASE("a directory is a disk that is only read, and writable with an overlay") {
  const TempDir dir;
  dir.file("a", 5000);
  const auto plain = parse_spec("stick,dir=" + dir.path.string());
  REQUIRE(plain);
  CHECK(make_device(*plain));
  CHECK(make_host_end("stick,overlay,dir=" + dir.path.string()));
  const auto both = make_host_end("stick,image=a,dir=" + dir.path.string());
  REQUIRE_FALSE(both);
  CHECK(contains(both.error().cause, "image= and dir= exclude each other"));
  const auto missing = make_host_end("stick,dir=" + (dir.path / "none").string());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
}
