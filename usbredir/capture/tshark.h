#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Helpers of the tests; no part of the library.
namespace usbloop::capture::test {

/// Ends the test program as skipped where there is no tshark: a case of doctest cannot.
void need_tshark();

/// What tshark prints of the file; fails the case when it complains about it.
std::string tshark(const std::filesystem::path& file, const std::vector<std::string>& arguments);

/// How many records the display filter takes.
std::size_t count_records(const std::filesystem::path& file, const std::string& filter);

/// A folder that is gone with this object.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace usbloop::capture::test
