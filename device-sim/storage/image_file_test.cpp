#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/temp_dir.h"
#include "common/test_text.h"
#include "device-sim/kinds.h"
#include "device-sim/storage/block_store.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using testing::TempDir;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

Error image_refusal(const std::string& spec) {
  const auto made = make_host_end(spec);
  REQUIRE_FALSE(made);
  return made.error();
}

}  // namespace

TEST_CASE("images that cannot be a disk are refused with the reason") {
  const TempDir dir;
  const Error missing = image_refusal("stick,image=" + (dir.path / "none.img").string());
  CHECK(missing.kind == ErrorKind::not_found);
  CHECK(contains(missing.hint, "truncate"));
  CHECK(contains(image_refusal("stick,ro,image=" + dir.path.string()).cause, "neither a file nor a block device"));
  CHECK(contains(image_refusal("stick,image=" + dir.path.string()).cause, "directory"));
  CHECK(contains(image_refusal("stick,image=" + dir.file("empty.img", 0)).cause, "empty"));
  CHECK(contains(image_refusal("stick,image=" + dir.file("odd.img", 1000)).cause, "not a multiple of 512"));
  const std::string pipe = (dir.path / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(image_refusal("stick,image=" + pipe).cause, "neither a file nor a block device"));
}

TEST_CASE("an image without permission is refused, and ro is named when that would do") {
  const TempDir dir;
  const std::string image = dir.file("readable.img", 4096);
  fs::permissions(dir.path, fs::perms(0755));
  fs::permissions(image, fs::perms(0444));
  // In a child of its own, which gives up root's right to write everywhere.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) ::_exit(1);
    const auto denied = ImageFile::open(image, false);
    if (denied || denied.error().kind != ErrorKind::denied || !contains(denied.error().hint, ",ro")) ::_exit(2);
    ::_exit(ImageFile::open(image, true) ? 0 : 3);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("one image has one writer or many readers") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  {
    const auto writer = make_host_end("stick,image=" + image);
    REQUIRE(writer);
    CHECK(image_refusal("stick,image=" + image).kind == ErrorKind::conflict);
    CHECK(image_refusal("stick,ro,image=" + image).kind == ErrorKind::conflict);
  }
  const auto reader = make_host_end("stick,ro,image=" + image);
  REQUIRE(reader);
  CHECK(make_host_end("stick,ro,image=" + image));
  CHECK(image_refusal("stick,image=" + image).kind == ErrorKind::conflict);
}

TEST_CASE("an image that shrinks under the disk is a read error, not a crash") {
  const TempDir dir;
  const std::string path = dir.file("a.img", 8192);
  auto image = ImageFile::open(path, false);
  REQUIRE(image);
  fs::resize_file(path, 1024);
  std::vector<std::byte> block(512);
  CHECK((*image)->read(512, block));
  CHECK_FALSE((*image)->read(4096, block));
}

TEST_CASE("what is written is in the file, and a read-only image is never written") {
  const TempDir dir;
  const std::string path = dir.file("a.img", 8192);
  auto image = ImageFile::open(path, false);
  REQUIRE(image);
  CHECK((*image)->size() == 8192);
  REQUIRE((*image)->write(512, std::vector<std::byte>(512, std::byte{'w'})));
  REQUIRE((*image)->flush());
  std::ifstream file(path, std::ios::binary);
  std::string content(8192, 0);
  file.read(content.data(), 8192);
  CHECK(content.substr(512, 512) == std::string(512, 'w'));
  image->reset();
  auto reader = ImageFile::open(path, true);
  REQUIRE(reader);
  CHECK_FALSE((*reader)->write(0, std::vector<std::byte>(512)));
}

TEST_CASE("a temporary file has its size, no name, and is writable") {
  const TempDir dir;
  const auto made = ImageFile::temporary(dir.path.string(), 1 << 20);
  REQUIRE(made);
  CHECK((*made)->size() == 1 << 20);
  CHECK(fs::is_empty(dir.path));
  const std::vector<std::byte> block(512, std::byte{'t'});
  REQUIRE((*made)->write(4096, block));
  std::vector<std::byte> back(512);
  REQUIRE((*made)->read(4096, back));
  CHECK(back == block);
  const auto refused = ImageFile::temporary((dir.path / "none").string(), 512);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::not_found);
}

TEST_CASE("an image of another format is refused with what to type, unless it is said to be raw") {
  const TempDir dir;
  const auto image = [&](const std::string& name, std::size_t at, const std::string& magic) {
    std::string content(4096, '\0');
    content.replace(at, magic.size(), magic);
    std::ofstream(dir.path / name, std::ios::binary) << content;
    return (dir.path / name).string();
  };
  const std::string qcow2 = image("a.qcow2", 0, "QFI\xfb");
  for (const auto& [path, format] : {std::pair(qcow2, "qcow2"),
                                     {image("a.qed", 0, std::string("QED\0", 4)), "QED"},
                                     {image("a.vmdk", 0, "KDMV"), "VMDK"},
                                     {image("b.vmdk", 0, "# Disk DescriptorFile\n"), "VMDK"},
                                     {image("a.vhdx", 0, "vhdxfile"), "VHDX"},
                                     {image("a.vhd", 0, "conectix"), "VHD"},
                                     {image("a.vdi", 64, "\x7f\x10\xda\xbe"), "VDI"},
                                     {image("a.hdd", 0, "WithoutFreeSpace"), "Parallels"}}) {
    CAPTURE(path);
    for (const char* kind : {"stick,", "ssd,ro,", "stick,overlay,"}) {
      const Error error = image_refusal(kind + ("image=" + path));
      CHECK(error.cause == std::string("it is a ") + format + " image and no raw one");
      CHECK(contains(error.hint, "qemu-img convert -O raw " + path));
    }
    CHECK(make_host_end("stick,format=raw,image=" + path));
  }
  CHECK(contains(image_refusal("stick,format=qcow2,image=" + qcow2).cause, "no format of an image here"));
  CHECK(contains(image_refusal("stick,format=raw,dir=" + dir.path.string()).hint, "with image="));
  CHECK(make_host_end("stick,image=" + image("almost.img", 1, "QFI\xfb")));
}
