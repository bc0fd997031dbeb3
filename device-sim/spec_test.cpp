#include "device-sim/spec.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/test_text.h"
#include "device-sim/stick.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

struct TempDir {
  TempDir() {
    std::string name = (fs::temp_directory_path() / "usbloop-spec-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDir() { fs::remove_all(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string file(const std::string& name, std::size_t size) const {
    const fs::path full = path / name;
    std::ofstream(full).close();
    fs::resize_file(full, size);
    return full.string();
  }

  fs::path path;
};

Error refusal(const std::string& spec, std::optional<UsbId> id = std::nullopt) {
  const auto made = make_host_end(spec, id);
  REQUIRE_FALSE(made);
  return made.error();
}

}  // namespace

TEST_CASE("a description is split at commas, and a doubled comma stands for itself") {
  const auto spec = parse_spec("stick,image=/a,,b.img,ro,speed=super");
  REQUIRE(spec);
  CHECK(spec->kind == "stick");
  CHECK(spec->options.at("image") == "/a,b.img");
  CHECK(spec->options.at("speed") == "super");
  CHECK(spec->options.at("ro").empty());
  CHECK(parse_spec("stick,image=a=b")->options.at("image") == "a=b");
  CHECK_FALSE(parse_spec(""));
  CHECK_FALSE(parse_spec("stick,"));
  CHECK_FALSE(parse_spec("stick,image="));
  CHECK_FALSE(parse_spec("stick,=x"));
  CHECK_FALSE(parse_spec("stick,ro,ro"));
}

TEST_CASE("USB ids are two hexadecimal numbers of up to four digits") {
  REQUIRE(parse_usb_id("0951:1666"));
  CHECK(parse_usb_id("0951:1666")->vendor == 0x951);
  CHECK(parse_usb_id("951:ABCD")->product == 0xabcd);
  for (const char* text : {"", ":", "0951", "0951:", ":1666", "0951:1666:1", "09510:1666", "0x51:1666", "0951:166g",
                           "-951:1666", " 951:1666", "0951:1666 "}) {
    CHECK_MESSAGE(!parse_usb_id(text), text);
  }
}

TEST_CASE("what the description leaves open has defaults") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  const auto plain = make_host_end("stick,image=" + image);
  REQUIRE(plain);
  CHECK((*plain)->device().id() == "0951:1666");
  CHECK((*plain)->device().speed == usbredir::Speed::high);
  CHECK((*plain)->device().serial == serial_for(image));
  CHECK((*plain)->device().serial.size() == 24);
}

TEST_CASE("an SSD has its own defaults, and no full speed") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  {
    const auto plain = make_host_end("ssd,image=" + image);
    REQUIRE(plain);
    CHECK((*plain)->device().id() == "0781:55ae");
    CHECK((*plain)->device().speed == usbredir::Speed::super);
  }
  CHECK(make_host_end("ssd,image=" + image + ",speed=high"));
  const Error refused = refusal("ssd,speed=full,image=" + image);
  CHECK(contains(refused.message(), "speed=full is not a speed of this device"));
  CHECK(contains(refused.hint, "high (480 Mbit/s) or super"));
  CHECK(contains(refusal("ssd").hint, "ssd,image=disk.img"));
}

TEST_CASE("the id of the description goes before the one of the command line") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  {
    const auto given = make_host_end("stick,image=" + image, UsbId{0x1234, 0x5678});
    REQUIRE(given);
    CHECK((*given)->device().id() == "1234:5678");
  }
  const auto own = make_host_end("stick,image=" + image + ",id=abcd:1,speed=full,serial=X1", UsbId{0x1234, 0x5678});
  REQUIRE(own);
  CHECK((*own)->device().id() == "abcd:0001");
  CHECK((*own)->device().speed == usbredir::Speed::full);
  CHECK((*own)->device().serial == "X1");
}

TEST_CASE("serial numbers differ from image to image and stay the same for one") {
  CHECK(serial_for("/tmp/a.img") != serial_for("/tmp/b.img"));
  CHECK(serial_for("/tmp/a.img") == serial_for("/tmp/./a.img"));
}

TEST_CASE("mistakes in the description are named") {
  const TempDir dir;
  const std::string image = dir.file("a.img", 4096);
  CHECK(contains(refusal("webcam2").hint, "stick"));
  CHECK(contains(refusal("stick").cause, "image= is missing"));
  CHECK(contains(refusal("stick,image=" + image + ",colour=red").cause, "no option 'colour'"));
  CHECK(contains(refusal("stick,image=" + image + ",speed=low").cause, "speed=low"));
  CHECK(contains(refusal("stick,image=" + image + ",speed=warp").cause, "speed=warp"));
  CHECK(contains(refusal("stick,image=" + image + ",id=0951").cause, "id=0951"));
  CHECK(contains(refusal("stick,image=" + image + ",serial=a b").cause, "serial="));
  CHECK(contains(refusal("stick,image=" + image + ",serial=" + std::string(127, 'a')).cause, "serial="));
  CHECK(contains(refusal("stick,image=" + image + ",ro=yes").cause, "ro takes no value"));
}

TEST_CASE("images that cannot be a disk are refused with the reason") {
  const TempDir dir;
  const Error missing = refusal("stick,image=" + (dir.path / "none.img").string());
  CHECK(missing.kind == ErrorKind::not_found);
  CHECK(contains(missing.hint, "truncate"));
  CHECK(contains(refusal("stick,ro,image=" + dir.path.string()).cause, "neither a file nor a block device"));
  CHECK(contains(refusal("stick,image=" + dir.path.string()).cause, "directory"));
  CHECK(contains(refusal("stick,image=" + dir.file("empty.img", 0)).cause, "empty"));
  CHECK(contains(refusal("stick,image=" + dir.file("odd.img", 1000)).cause, "not a multiple of 512"));
  const std::string pipe = (dir.path / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(refusal("stick,image=" + pipe).cause, "neither a file nor a block device"));
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
    CHECK(refusal("stick,image=" + image).kind == ErrorKind::conflict);
    CHECK(refusal("stick,ro,image=" + image).kind == ErrorKind::conflict);
  }
  const auto reader = make_host_end("stick,ro,image=" + image);
  REQUIRE(reader);
  CHECK(make_host_end("stick,ro,image=" + image));
  CHECK(refusal("stick,image=" + image).kind == ErrorKind::conflict);
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
