#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

// A directory for the files of a test; no part of a library.
namespace usbloop::testing {

struct TempDir {
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "usbloop-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string file(const std::string& name, std::size_t size) const {
    const std::filesystem::path full = path / name;
    std::ofstream(full).close();
    std::filesystem::resize_file(full, size);
    return full.string();
  }

  std::filesystem::path path;
};

}  // namespace usbloop::testing
