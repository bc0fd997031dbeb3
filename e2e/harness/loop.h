#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "e2e/harness/api.h"
#include "e2e/harness/case_dir.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

namespace usbloop::e2e {

struct LoopOptions {
  std::vector<std::string> nodes = {"node-a"};      ///< a launcher-sim each; may be empty
  std::vector<std::string> sans = {};               ///< further names of the server certificate
  std::vector<std::string> apiserver_options = {};  ///< more of apiserver-sim's command line
  std::vector<std::string> launcher_options = {};   ///< more of each launcher-sim's
  std::filesystem::path guest = {};                 ///< the guest's files; empty: those of scripts/build-guest
  bool clones = guests_are_cloned();                ///< guests are copies of templates where they can be
  std::filesystem::path templates = {};             ///< where they are; empty: where all test programs share them
  std::filesystem::path apiserver = {};             ///< in place of apiserver-sim; empty: that one
  std::string apiserver_log_level = "debug";        ///< debug logs every request
  std::string dir = "loop";                         ///< directory in the case's
};

/// One loop: apiserver-sim and launcher-sim, ready. The destructor stops them as a person would (SIGTERM, launchers
/// first) and expects both to end in time with exit code 0.
class Loop {
 public:
  explicit Loop(const CaseDir& dir, LoopOptions options = {});
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] const std::filesystem::path& dir() const { return dir_; }
  /// The administrator's.
  [[nodiscard]] std::filesystem::path kubeconfig() const { return dir_ / "apiserver/admin.kubeconfig"; }
  /// A node's, who may write what users may not.
  [[nodiscard]] std::filesystem::path node_kubeconfig() const { return dir_ / "apiserver/node.kubeconfig"; }
  [[nodiscard]] std::filesystem::path run_dir(const std::string& node) const { return dir_ / node; }
  [[nodiscard]] const Api& api() const { return *api_; }

  Process& apiserver() { return *apiserver_; }
  Process& launcher(const std::string& node = "node-a") { return *launchers_.at(node); }

  /// Starts them again after they were killed.
  void start_apiserver();
  void start_launcher(const std::string& node = "node-a");
  /// SIGTERM and exit code 0 expected in time.
  void stop_launcher(const std::string& node = "node-a");
  void stop_apiserver();

 private:
  void stop(std::unique_ptr<Process>& process, milliseconds timeout);

  std::filesystem::path dir_;
  LoopOptions options_;
  int starts_ = 0;
  std::unique_ptr<Process> apiserver_;
  std::map<std::string, std::unique_ptr<Process>> launchers_;
  std::unique_ptr<Api> api_;
};

}  // namespace usbloop::e2e
