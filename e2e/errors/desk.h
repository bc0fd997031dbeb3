#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "e2e/harness/client.h"
#include "e2e/harness/fake_node.h"
#include "e2e/harness/loop.h"

namespace usbloop::e2e {

/// What the client has said, on both its outputs, and its exit status.
struct Outcome {
  std::string said;
  int status = -1;
};

/// Where each situation of docs/errors.md is made: the real API server with running VMIs `demo`, `lost` and `short`,
/// whose node the harness plays, the real client, and a machine whose USB devices umockdev makes up.
class Desk {
 public:
  Desk();

  /// The client with an emulated stick and the administrator's kubeconfig, ended.
  Outcome emulated(std::vector<std::string> arguments);
  Process start_emulated(std::vector<std::string> arguments);
  /// The client with these arguments alone.
  Outcome plain(std::vector<std::string> arguments, std::map<std::string, std::string> env = {});
  /// On the machine that has two sticks of one kind (1-3 at port 1-1, 1-4 at 1-2), a keyboard (1-6) and a hub (1-7), or
  /// the hub alone. `fault`: of usb_fault.cpp.
  Outcome local(std::vector<std::string> arguments, const std::string& fault = {}, bool hub_alone = false);
  Process start_local(std::vector<std::string> arguments, const std::string& fault = {}, bool hub_alone = false);
  static Outcome end(Process& client);

  /// A stick's description for --emulate; each has the same image, read-only.
  [[nodiscard]] std::string stick() const;
  /// The API server's address, to ask it with other credentials.
  [[nodiscard]] std::vector<std::string> server_with(const std::string& token) const;
  /// The administrator's kubeconfig with `user` (YAML) in place of its user's credentials.
  [[nodiscard]] std::string kubeconfig_with_user(const std::string& user) const;
  /// Writes a file of the case and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::filesystem::path home() const { return dir_.subdir("home"); }

  [[nodiscard]] const CaseDir& dir() const { return dir_; }
  Loop& loop() { return loop_; }
  FakeNode& node() { return node_; }

 private:
  std::string next_name() { return "client-" + std::to_string(++clients_); }

  CaseDir dir_;
  Loop loop_{dir_, {.nodes = {}}};
  FakeNode node_{loop_};
  int clients_ = 0;
};

/// By the first cell of the row.
using Situations = std::map<std::string, std::function<Outcome(Desk& desk)>>;

void add_device_situations(Situations& all);
void add_command_situations(Situations& all);
void add_connection_situations(Situations& all);
void add_cluster_situations(Situations& all);
void add_running_situations(Situations& all);

}  // namespace usbloop::e2e
