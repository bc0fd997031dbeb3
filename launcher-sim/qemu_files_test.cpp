#include "launcher-sim/qemu_files.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "launcher-sim/test_directory.h"

using namespace usbloop;
using namespace usbloop::launcher;
namespace fs = std::filesystem;

TEST_CASE(
    "the quick firmware is the file beside the QEMU that runs, by whatever link, and is used only when it is there") {
  const test::TestDirectory directory;
  fs::create_directories(directory / "usr/bin");
  fs::create_directories(directory / "usr/share/qemu");
  std::ofstream(directory / "usr/bin/qemu") << "program";
  fs::create_directory_symlink("usr/bin", directory / "bin");
  CHECK(quick_firmware(directory / "bin/qemu").empty());
  fs::create_directory(directory / "usr/share/qemu/qboot.rom");
  CHECK(quick_firmware(directory / "bin/qemu").empty());
  fs::remove(directory / "usr/share/qemu/qboot.rom");
  std::ofstream(directory / "usr/share/qemu/qboot.rom") << "firmware";
  const std::string real = fs::canonical(fs::path(directory.path())) / "usr/share/qemu/qboot.rom";
  CHECK(quick_firmware(directory / "bin/qemu") == real);
  CHECK(quick_firmware(directory / "usr/bin/qemu") == real);
  CHECK(quick_firmware(directory / "bin/no-qemu").empty());
}
