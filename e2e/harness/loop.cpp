#include "e2e/harness/loop.h"

#include <doctest/doctest.h>

#include <csignal>

#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::e2e {
namespace {

constexpr milliseconds kStartTime = 20s;
constexpr milliseconds kStopTime = 20s;

}  // namespace

Loop::Loop(const CaseDir& dir, LoopOptions options) : dir_(dir.subdir(options.dir)), options_(std::move(options)) {
  start_apiserver();
  api_ = std::make_unique<Api>(kubeconfig());
  for (const auto& node : options_.nodes) start_launcher(node);
}

Loop::~Loop() {
  for (auto& [node, launcher] : launchers_) stop(launcher, kStopTime);
  stop(apiserver_, kStopTime);
}

void Loop::start_apiserver() {
  const std::filesystem::path program = options_.apiserver.empty() ? apiserver_sim() : options_.apiserver;
  std::vector<std::string> argv = {program, "--data-dir", dir_ / "apiserver", "--log-level",
                                   options_.apiserver_log_level};
  for (const auto& san : options_.sans) argv.insert(argv.end(), {"--san", san});
  argv.insert(argv.end(), options_.apiserver_options.begin(), options_.apiserver_options.end());
  // Each start has logs of its own, so that a ready line is always this process's.
  const std::string name = "apiserver-sim." + std::to_string(++starts_);
  apiserver_ = std::make_unique<Process>(ProcessSpec{.name = name, .argv = std::move(argv), .log_dir = dir_});
  apiserver_->wait_out("apiserver-sim ready: https://127.0.0.1:([0-9]+)\n", kStartTime);
}

void Loop::start_launcher(const std::string& node) {
  std::vector<std::string> argv = {launcher_sim(),
                                   "--kubeconfig",
                                   dir_ / "apiserver/node.kubeconfig",
                                   "--node-name",
                                   node,
                                   "--run-dir",
                                   run_dir(node),
                                   "--guest",
                                   options_.guest.empty() ? guest_dir() : options_.guest,
                                   "-v"};
  const std::filesystem::path& templates = options_.templates;
  if (options_.clones) argv.insert(argv.end(), {"--template-dir", templates.empty() ? templates_dir() : templates});
  argv.insert(argv.end(), options_.launcher_options.begin(), options_.launcher_options.end());
  const std::string name = "launcher-sim." + node + "." + std::to_string(++starts_);
  auto& launcher = launchers_[node];
  launcher = std::make_unique<Process>(ProcessSpec{.name = name, .argv = argv, .log_dir = dir_});
  launcher->wait_out("launcher-sim ready: node " + node + "\n", kStartTime);
}

void Loop::stop_launcher(const std::string& node) { stop(launchers_.at(node), kStopTime); }

void Loop::stop_apiserver() { stop(apiserver_, kStopTime); }

void Loop::stop(std::unique_ptr<Process>& process, milliseconds timeout) {
  if (process == nullptr) return;
  const auto stopping = std::move(process);
  if (!stopping->running()) {
    FAIL_CHECK(stopping->name() << " had ended before it was stopped: " << stopping->wait_exit(1s).text());
    return;
  }
  stopping->signal(SIGTERM);
  if (!holds_within(timeout, [&] { return !stopping->running(); })) {
    FAIL_CHECK(stopping->name() << " still runs " << timeout.count() << " ms after SIGTERM");
    return;
  }
  const ExitStatus status = stopping->wait_exit(1s);
  CHECK_MESSAGE(status.code == 0, stopping->name() << " after SIGTERM: " << status.text());
}

}  // namespace usbloop::e2e
