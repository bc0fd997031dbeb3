#pragma once

#include <fstream>
#include <string>

#include "common/temp_dir.h"

// Helpers of the tests; no part of the library.
namespace usbloop::desk {

/// A directory for one case.
struct DeskDir : usbloop::testing::TempDir {
  [[nodiscard]] std::string file(const std::string& name) const { return (path / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
};

}  // namespace usbloop::desk
