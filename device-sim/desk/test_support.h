#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

// Helpers of the tests; no part of the library.
namespace usbloop::desk {

/// A directory for one case.
struct DeskDir {
  DeskDir() {
    std::string name = (std::filesystem::temp_directory_path() / "usbloop-desk-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~DeskDir() { std::filesystem::remove_all(path); }
  DeskDir(const DeskDir&) = delete;
  DeskDir& operator=(const DeskDir&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }

  std::filesystem::path path;
};

}  // namespace usbloop::desk
