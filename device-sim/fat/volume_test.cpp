#include "device-sim/fat/volume.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "common/process.h"
#include "common/temp_dir.h"
#include "common/test_text.h"

using namespace usbloop;
using testing::TempDir;
namespace fs = std::filesystem;

namespace {

std::string random_text(std::size_t size) {
  std::mt19937 random(static_cast<unsigned>(size));
  std::string text(size, 0);
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const fs::path& file, const std::string& content) {
  fs::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary);
  stream << content;
  REQUIRE(stream.flush());
}

/// What stands under `root`, by path; a directory is there with "/".
std::map<std::string, std::string> all_of(const fs::path& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = fs::relative(entry.path(), root).string();
    found[name] = entry.is_directory() ? "/" : content_of(entry.path());
  }
  return found;
}

/// Runs a tool and gives what it says; fails when the tool does.
std::string run(std::vector<std::string> argv, const TempDir& dir) {
  const std::string out = (dir.path / "out").string();
  fs::remove(out);
  ProcessSpec spec{.argv = std::move(argv),
                   .environment = {{"LC_ALL", "C.UTF-8"}, {"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}},
                   .standard_output = Output::to_file(out),
                   .standard_error = Output::to_file(out)};
  auto process = Process::spawn(spec);
  REQUIRE_MESSAGE(process, (process ? "" : process.error().message()));
  const auto status = process->wait(std::chrono::seconds(30));
  REQUIRE(status);
  const std::string said = content_of(out);
  CHECK_MESSAGE(status->success(), said);
  return said;
}

/// The whole volume as a file; what is zero takes no place.
std::string write_image(fat::Volume& volume, const TempDir& dir) {
  const std::string path = (dir.path / "volume.img").string();
  std::ofstream file(path, std::ios::binary);
  std::vector<std::byte> part(1 << 20);
  const std::vector<std::byte> zero(part.size());
  for (std::uint64_t at = 0; at < volume.size(); at += part.size()) {
    part.resize(std::min<std::uint64_t>(part.size(), volume.size() - at));
    REQUIRE(volume.read(at, part));
    if (std::equal(part.begin(), part.end(), zero.begin())) continue;
    file.seekp(static_cast<std::streamoff>(at));
    file.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
  }
  file.close();
  REQUIRE(file);
  fs::resize_file(path, volume.size());
  return path;
}

void make_tree(const fs::path& root) {
  write(root / "README.TXT", "short name\n");
  write(root / "lower.txt", "lower case\n");
  write(root / "empty", "");
  write(root / "one cluster", random_text(4096));
  write(root / "and a byte", random_text(4097));
  write(root / "big.bin", random_text(3'000'001));
  // Not beyond 16 bits, which mtools does not read; a guest does (e2e/directory_test.cpp).
  write(root / u8"\u00dcberma\u00df \u65e5\u672c\u8a9e.txt", "unicode\n");
  write(root / std::string(255, 'n'), "a long name");
  write(root / "a" / "b" / "c" / "d" / "e" / "deep", "deep");
  fs::create_directory(root / "nothing inside");
  for (int i = 0; i < 700; ++i) write(root / "many" / ("a file with number " + std::to_string(i)), std::to_string(i));
  fs::last_write_time(root / "README.TXT", fs::file_time_type::clock::now() - std::chrono::hours(24 * 365 * 80));
}

}  // namespace

TEST_CASE("fsck.fat finds nothing, and mtools copies out what was in the directory") {
  const TempDir dir;
  make_tree(dir.path / "in");
  const auto volume = fat::Volume::make((dir.path / "in").string());
  REQUIRE_MESSAGE(volume, (volume ? "" : volume.error().message()));
  const std::string image = write_image(**volume, dir);
  const std::string said = run({"fsck.fat", "-n", "-v", image}, dir);
  CHECK_MESSAGE(testing::contains(said, "717 files, "), said);
  fs::create_directory(dir.path / "copy");
  run({"mcopy", "-i", image, "-s", "-n", "-Q", "::", (dir.path / "copy").string()}, dir);
  CHECK(all_of(dir.path / "copy") == all_of(dir.path / "in"));
}

TEST_CASE("every part of a volume is the same however it is read") {
  const TempDir dir;
  make_tree(dir.path / "in");
  const auto volume = fat::Volume::make((dir.path / "in").string());
  REQUIRE(volume);
  const std::uint64_t most = std::min<std::uint64_t>((*volume)->size(), 8 << 20);
  std::vector<std::byte> all(most);
  REQUIRE((*volume)->read(0, all));
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t at = random() % most;
    std::vector<std::byte> part(std::min<std::size_t>(random() % 9000, most - at));
    REQUIRE((*volume)->read(at, part));
    CHECK(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(at)));
  }
}

TEST_CASE("larger trees have larger clusters, and more than FAT32 holds is refused") {
  const TempDir dir;
  const fs::path in = dir.path / "in";
  const auto add = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const fs::path file = in / ("disk" + std::to_string(std::distance(fs::directory_iterator(in), {})));
      write(file, "");
      fs::resize_file(file, 0xffffffff);
    }
  };
  fs::create_directory(in);
  add(1);
  std::vector<std::byte> sector(512);
  for (const int sectors : {8, 16, 64}) {
    const auto volume = fat::Volume::make(in.string());
    REQUIRE(volume);
    REQUIRE((*volume)->read(0, sector));
    CHECK(std::to_integer<int>(sector[13]) == sectors);
    std::vector<std::byte> end(1 << 16);
    CHECK((*volume)->read((*volume)->size() - end.size(), end));
    add(sectors == 8 ? 2 : 100);
  }
  add(500);
  const auto refused = fat::Volume::make(in.string());
  REQUIRE_FALSE(refused);
  CHECK(testing::contains(refused.error().cause, "more than the 2 TiB"));
}
