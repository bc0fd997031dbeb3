#include "device-sim/fat/tree.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/fat/volume.h"

using namespace usbloop;
using testing::contains;
using testing::TempDir;
namespace fs = std::filesystem;

namespace {

Error why_not(const fs::path& path) {
  const auto volume = fat::Volume::make(path.string());
  REQUIRE_FALSE(volume);
  return volume.error();
}

}  // namespace

TEST_CASE("a tree has the entries of a directory together, by name, behind the directory") {
  const TempDir dir;
  fs::create_directories(dir.path / "b" / "deep");
  dir.file("c", 3);
  dir.file("a", 0);
  dir.file("b/deep/x", 7);
  const auto tree = fat::read_tree(dir.path.string());
  REQUIRE(tree);
  REQUIRE(tree->nodes.size() == 6);
  CHECK(tree->nodes[0].children == 3);
  CHECK(tree->nodes[1].name == "a");
  CHECK(tree->nodes[2].is_directory);
  CHECK(tree->nodes[3].size == 3);
  CHECK(tree->path_of(5) == "b/deep/x");
  CHECK(tree->nodes[5].size == 7);
}

TEST_CASE("what FAT32 cannot hold is refused, by name and with the reason") {
  const TempDir dir;
  const auto with = [&](const std::string& name, const auto& make) {
    const fs::path inside = dir.path / "inside";
    fs::create_directory(inside);
    make(inside);
    const Error error = why_not(inside);
    fs::remove_all(inside);
    if (!name.empty()) CHECK(contains(error.message(), name));
    return error;
  };
  CHECK(contains(with("big",
                      [](const fs::path& in) {
                        REQUIRE(::close(::open((in / "big").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
                        fs::resize_file(in / "big", std::uint64_t{1} << 32);
                      })
                     .cause,
                 "4294967296 bytes is more than the 4294967295"));
  CHECK(contains(with("a:b", [](const fs::path& in) { fs::create_directory(in / "a:b"); }).cause, "its name has a :"));
  CHECK(
      contains(with("link", [](const fs::path& in) { fs::create_symlink("/", in / "link"); }).cause, "symbolic link"));
  CHECK(contains(with("pipe", [](const fs::path& in) { REQUIRE(::mkfifo((in / "pipe").c_str(), 0600) == 0); }).cause,
                 "neither a file nor a directory"));
  const Error alike = with("inside", [](const fs::path& in) {
    fs::create_directory(in / "Photos");
    fs::create_directory(in / "photos");
  });
  CHECK(alike.cause == "'Photos' and 'photos' differ in case alone: one name in FAT");
  CHECK(alike.kind == ErrorKind::invalid);
  CHECK(why_not(dir.path / "none").kind == ErrorKind::not_found);
  CHECK(contains(why_not(dir.file("a", 1)).cause, "Not a directory"));
}

TEST_CASE("a directory with more names than FAT32 holds in one, and more entries than are counted, are refused") {
  const TempDir dir;
  const auto fill = [&](int count, const std::string& name) {
    for (int i = 0; i < count; ++i) {
      const std::string file = (dir.path / (name + std::to_string(i))).string();
      REQUIRE(::close(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    }
  };
  fill(3000, std::string(240, 'x'));  // 20 slots each
  CHECK(fat::Volume::make(dir.path.string()));
  fill(3300, std::string(240, 'x'));
  CHECK(contains(why_not(dir.path).cause, "more names than a directory of FAT32 holds"));
  fill(63000, "");
  CHECK(contains(why_not(dir.path).cause, "more than 65535 files and directories"));
}

TEST_CASE("a file that was cut, replaced or removed is a read error, and one that grew keeps its size") {
  const TempDir dir;
  const std::string path = dir.file("a", 10000);
  const auto volume = fat::Volume::make(dir.path.string());
  REQUIRE(volume);
  // The root's cluster and the file's are the first two.
  const auto first = [&] {
    std::vector<std::byte> block(512);
    for (std::uint64_t at = 0; at < (*volume)->size(); at += 512) {
      if (!(*volume)->read(at, block)) return at;
    }
    return (*volume)->size();
  };
  CHECK(first() == (*volume)->size());
  fs::resize_file(path, 20000);
  CHECK(first() == (*volume)->size());
  fs::resize_file(path, 5000);
  const std::uint64_t failed = first();
  CHECK(failed < (*volume)->size());
  fs::resize_file(path, 10000);
  CHECK(first() == (*volume)->size());
  const auto fresh = fat::Volume::make(dir.path.string());
  REQUIRE(fresh);
  fs::remove(path);
  std::vector<std::byte> block(512);
  CHECK_FALSE((*fresh)->read(failed, block));
  dir.file("b", 10000);
  fs::rename(dir.path / "b", path);
  const auto replaced = (*fresh)->read(failed, block);
  REQUIRE_FALSE(replaced);
  CHECK(contains(replaced.error().cause, "another file has taken its place"));
}
