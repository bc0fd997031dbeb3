#include "usbredir/capture/tshark.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "common/process.h"

namespace usbloop::capture::test {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

void need_tshark() {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    if (::access((rest.substr(0, colon) + "/tshark").c_str(), X_OK) == 0) return;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  std::puts("skipped: tshark is not installed (package tshark)");
  std::exit(77);
}

std::string tshark(const std::filesystem::path& file, const std::vector<std::string>& arguments) {
  const TestFolder folder;
  ProcessSpec spec;
  // Without the settings of the person who runs the tests.
  spec.argv = {"tshark", "-n", "-r", file.string()};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.environment = {{"HOME", folder.path().string()}, {"XDG_CONFIG_HOME", folder.path().string()}, {"LC_ALL", "C"}};
  spec.standard_output = Output::to_file((folder.path() / "out").string());
  spec.standard_error = Output::to_file((folder.path() / "err").string());
  auto process = Process::spawn(spec);
  REQUIRE_MESSAGE(process, process.error().message());
  const auto status = process->wait(std::chrono::seconds(60));
  REQUIRE(status);
  std::string complaint = read_text(folder.path() / "err");
  constexpr const char* kAsRoot = "Running as user \"root\" and group \"root\". This could be dangerous.\n";
  if (complaint.starts_with(kAsRoot)) complaint.erase(0, std::string(kAsRoot).size());
  CHECK_MESSAGE(complaint.empty(), complaint);
  CHECK(status->success());
  return read_text(folder.path() / "out");
}

std::size_t count_records(const std::filesystem::path& file, const std::string& filter) {
  const auto out = tshark(file, {"-2", "-Y", filter, "-T", "fields", "-e", "frame.number"});
  return static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n'));
}

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "usbloop-capture-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace usbloop::capture::test
