#include "launcher-sim/template_store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string key_of(int number) { return std::string(30, 'a') + std::to_string(10 + number); }

/// A file as QEMU leaves it: 8 MiB, most of them a hole.
void write_memory(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  fs::resize_file(path, 8 * 1024 * 1024);
}

void keep(TemplateStore& store, const std::string& key, const std::string& memory = "memory") {
  auto draft = store.begin(key, {});
  REQUIRE(draft);
  write_memory(draft->memory_file(), memory);
  std::ofstream(draft->directory() + "/qemu.log") << "said";
  REQUIRE(store.keep(std::move(*draft), "state of " + key));
}

TemplateStore open_store(const std::string& path) {
  auto store = TemplateStore::open(path);
  REQUIRE(store);
  return std::move(*store);
}

std::string sum_of(const std::string& path) {
  const auto file = open_template_file(path);
  REQUIRE(file);
  return *sum_of_sparse_file(*file, path);
}

}  // namespace

TEST_CASE("a template is found as it was kept, also by another launcher") {
  const test::TestDirectory directory;
  TemplateStore store = open_store(directory / "templates");
  CHECK((fs::status(directory / "templates").permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK_FALSE(store.has(key_of(1)));
  CHECK(store.find(key_of(1)).error().kind == ErrorKind::not_found);
  keep(store, key_of(1));
  TemplateStore other = open_store(directory / "templates");
  for (TemplateStore* each : {&store, &other, &other}) {
    CHECK(each->has(key_of(1)));
    const auto found = each->find(key_of(1));
    REQUIRE(found);
    CHECK(found->state == "state of " + key_of(1));
    CHECK(fs::file_size(found->memory_file) == 8 * 1024 * 1024);
  }
  // Sockets and logs of the machine that was booted have gone.
  CHECK(std::distance(fs::directory_iterator(directory / "templates/" + key_of(1)), {}) == 3);
}

TEST_CASE("a template that was tampered with is not found") {
  const test::TestDirectory directory;
  TemplateStore store = open_store(directory / "templates");
  keep(store, key_of(1));
  const std::string folder = directory / "templates/" + key_of(1);
  REQUIRE(store.find(key_of(1)));
  SUBCASE("a byte of its memory") {
    std::fstream(folder + "/memory", std::ios::in | std::ios::out).seekp(5'000'000).put('x');
  }
  SUBCASE("a byte of its memory, at its old time") {
    struct stat before {};
    REQUIRE(::stat((folder + "/memory").c_str(), &before) == 0);
    std::fstream(folder + "/memory", std::ios::in | std::ios::out).seekp(2).put('x');
    const timespec times[2] = {before.st_atim, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, (folder + "/memory").c_str(), times, 0) == 0);
  }
  SUBCASE("the size of its memory") { fs::resize_file(folder + "/memory", 16 * 1024 * 1024); }
  SUBCASE("another file as its memory") {
    fs::remove(folder + "/memory");
    write_memory(folder + "/memory", "other");
  }
  SUBCASE("a link as its memory") {
    fs::rename(folder + "/memory", directory / "memory");
    fs::create_symlink(directory / "memory", folder + "/memory");
  }
  SUBCASE("its state") { std::ofstream(folder + "/state") << "other"; }
  SUBCASE("its sums") { std::ofstream(folder + "/sums.json") << "{}"; }
  SUBCASE("no sums") { fs::remove(folder + "/sums.json"); }
  SUBCASE("the template of another shape") { fs::rename(folder, directory / "templates/" + key_of(2)); }
  SUBCASE("others may write to its memory") { fs::permissions(folder + "/memory", fs::perms::all); }
  SUBCASE("nobody may write to its memory") { fs::permissions(folder + "/memory", fs::perms::owner_read); }
  SUBCASE("others may write into its folder") { fs::permissions(folder, fs::perms::all); }
  CHECK_FALSE(store.find(key_of(1)));
  CHECK_FALSE(store.find(key_of(2)));
  TemplateStore fresh = open_store(directory / "templates");
  CHECK_FALSE(fresh.find(key_of(1)));
}

TEST_CASE("a directory that others can write to keeps no templates") {
  const test::TestDirectory directory;
  fs::create_directory(directory / "templates");
  fs::permissions(directory / "templates", fs::perms::all);
  CHECK(TemplateStore::open(directory / "templates").error().kind == ErrorKind::invalid);
  std::ofstream(directory / "file") << "no directory";
  CHECK_FALSE(TemplateStore::open(directory / "file"));
}

TEST_CASE("a draft that is not kept leaves nothing, and a dead maker's is removed") {
  const test::TestDirectory directory;
  TemplateStore store = open_store(directory / "templates");
  { CHECK(fs::exists(store.begin(key_of(1), {})->directory())); }
  CHECK(fs::is_empty(directory / "templates"));
  fs::create_directories(directory / "templates/" + key_of(2) + ".new/machine");
  keep(store, key_of(1));
  CHECK_FALSE(fs::exists(directory / "templates/" + key_of(2) + ".new"));
  CHECK_FALSE(store.has(key_of(2)));
}

TEST_CASE("one maker at a time: the next one waits, and may stop waiting") {
  const test::TestDirectory directory;
  TemplateStore store = open_store(directory / "templates");
  TemplateStore other = open_store(directory / "templates");
  auto draft = store.begin(key_of(1), {});
  REQUIRE(draft);
  std::stop_source stopping;
  stopping.request_stop();
  CHECK(other.begin(key_of(1), stopping.get_token()).error().kind == ErrorKind::cancelled);
  CHECK(fs::exists(draft->directory()));
  std::thread waiting([&] {
    const auto second = other.begin(key_of(1), {});
    CHECK(second);
    CHECK(other.has(key_of(1)));  // it waited until the first was done
  });
  write_memory(draft->memory_file(), "memory");
  CHECK(store.keep(std::move(*draft), "state"));
  waiting.join();
}

TEST_CASE("a directory that was removed and made anew while a maker waited is the one that counts") {
  const test::TestDirectory directory;
  TemplateStore store = open_store(directory / "templates");
  auto draft = store.begin(key_of(1), {});
  REQUIRE(draft);
  fs::remove_all(directory / "templates");
  CHECK_FALSE(store.keep(std::move(*draft), "state"));
  fs::create_directory(directory / "templates");
  keep(store, key_of(1));
  CHECK(store.find(key_of(1)));
}

TEST_CASE("templates are bounded: the one that was used least lately goes") {
  const test::TestDirectory directory;
  TemplateStore store = open_store(directory / "templates");
  const int most = static_cast<int>(TemplateStore::kMost);
  for (int i = 0; i < most; ++i) {
    keep(store, key_of(i));
    fs::last_write_time(directory / "templates/" + key_of(i), fs::file_time_type::clock::now() - 100s + i * 1s);
  }
  REQUIRE(store.find(key_of(0)));  // used now
  keep(store, key_of(most));
  CHECK(store.has(key_of(0)));
  CHECK_FALSE(store.has(key_of(1)));
  CHECK(store.has(key_of(2)));
  CHECK(store.has(key_of(most)));
}

TEST_CASE("the sum of a memory is that of what is not zero, and of where it is") {
  const test::TestDirectory directory;
  write_memory(directory / "a", "text");
  const std::string sum = sum_of(directory / "a");
  std::string whole = "text" + std::string(8 * 1024 * 1024 - 4, '\0');
  std::ofstream(directory / "b", std::ios::binary) << whole;  // without holes
  fs::permissions(directory / "b", fs::perms::owner_read | fs::perms::owner_write);
  CHECK(sum_of(directory / "b") == sum);
  std::swap(whole[0], whole[1'000'000]);
  std::ofstream(directory / "b", std::ios::binary) << whole;
  CHECK(sum_of(directory / "b") != sum);
}
