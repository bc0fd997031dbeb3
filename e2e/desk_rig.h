#pragma once

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "e2e/harness/case_dir.h"
#include "e2e/harness/client.h"
#include "e2e/harness/image.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

// For tests only.
namespace usbloop::e2e {

/// The desk of deploy/examples, copied and running, with a person at it.
class PageDesk {
 public:
  static constexpr std::size_t kImageBytes = std::size_t{8} << 20;

  explicit PageDesk(const CaseDir& dir)
      : dir_(dir),
        folder_(dir.subdir("desk")),
        env_{{"XDG_RUNTIME_DIR", dir.subdir("run").string()}, {"USBLOOP_DESK", file().string()}} {
    std::filesystem::copy_file(USBLOOP_DESK_EXAMPLE, file());
    stick_sha = make_random_image(folder_ / "stick.img", kImageBytes, 61);
    ssd_sha = make_random_image(folder_ / "ssd.img", kImageBytes, 62);
    start();
  }

  void start() {
    process_.emplace_back(ProcessSpec{.name = "desk" + std::to_string(process_.size()),
                                      .argv = {device_sim(), "desk", file()},
                                      .log_dir = dir_.path(),
                                      .env = env_});
    process_.back().wait_out("3 devices of [^\n]*desk\\.yaml at ", 20s);
  }
  /// As a person ends it.
  void stop() {
    process_.back().signal(SIGTERM);
    CHECK(process_.back().wait_exit(10s).code == 0);
  }

  [[nodiscard]] std::filesystem::path file() const { return folder_ / "desk.yaml"; }
  /// What the programs of the desk's person have in their environment.
  [[nodiscard]] const std::map<std::string, std::string>& env() const { return env_; }

  /// `device-sim ctl …`. Gives what it says.
  std::string ctl(std::vector<std::string> arguments, int status = 0) {
    arguments.insert(arguments.begin(), {device_sim().string(), "ctl"});
    Process process({.name = "ctl" + std::to_string(++calls_), .argv = arguments, .log_dir = dir_.path(), .env = env_});
    const auto end = process.wait_exit(20s);
    CHECK_MESSAGE(end.code == status, process.output());
    return process.output();
  }

  std::string stick_sha;
  std::string ssd_sha;

 private:
  const CaseDir& dir_;
  const std::filesystem::path folder_;
  const std::map<std::string, std::string> env_;
  std::vector<Process> process_;
  int calls_ = 0;
};

}  // namespace usbloop::e2e
