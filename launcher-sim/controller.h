#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "common/error.h"
#include "common/kube/informer.h"
#include "common/kube/rest_client.h"
#include "launcher-sim/action_queue.h"
#include "launcher-sim/decision.h"
#include "launcher-sim/guest.h"
#include "launcher-sim/guest_registry.h"
#include "launcher-sim/guest_table.h"
#include "launcher-sim/node_pods.h"
#include "launcher-sim/node_vmis.h"
#include "launcher-sim/qemu_command.h"
#include "launcher-sim/run_dir.h"
#include "launcher-sim/template_keeper.h"
#include "launcher-sim/work_queue.h"

namespace usbloop::launcher {

/// What the controller tells the rest of the node. Called from its threads; must not block.
struct ControllerHooks {
  /// The guest can no longer be reached: sessions with it are over.
  std::function<void(const std::string& uid)> end_sessions;
  /// Calls `ended` when the descriptor (a duplicate to own) becomes readable.
  std::function<void(Fd pidfd, std::function<void()> ended)> watch_exit;
};

struct ControllerOptions {
  std::string node_name;
  std::string address;  ///< of the node; its pods share it
  QemuHost host;
  int max_vmis = 64;
  TemplateKeeper* templates = nullptr;  ///< null: all guests are booted; outlives the controller
};

/// Brings the guests of this node into line with the VMIs that the API assigns to it, and reports their launcher pods
/// as a kubelet does. It is an ordinary Kubernetes controller: it finds out what happened while it was away by looking
/// at both sides again.
class Controller {
 public:
  Controller(const kube::RestClient& client, const RunDir& run_dir, GuestRegistry& registry, ControllerOptions options,
             ControllerHooks hooks);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Takes over the guests that are in the run directory. Before start().
  void adopt_guests();
  void start();
  /// Performs the action in one of the controller's threads, and calls `done` there, also when it fails.
  void perform(const std::string& uid, GuestAction action, ActionDone done);
  /// Whether the first lists of VMIs and pods have come; waits for them. False when stop was requested.
  bool wait_synced(const std::stop_token& stop) const { return vmis_.wait_synced(stop) && pods_.wait_synced(stop); }

  /// Ends the threads; the guests run on.
  void stop();
  /// After stop(): powers all guests off at the same time within about `grace`, and reports it to the API as far as the
  /// API answers within `api_time`.
  void shut_down(std::chrono::milliseconds grace, std::chrono::milliseconds api_time);

 private:
  /// What one key is about, as the API has it.
  struct Subject {
    std::string uid;             ///< of the VMI
    kube::Informer::Object vmi;  ///< null: gone, or not handed over to this node
    kube::Informer::Object pod;  ///< null: none on this node
  };

  void work(const std::stop_token& stop);
  /// Looks at one VMI and its guest and does the next thing. Errors are tried again later.
  Result<> reconcile(const std::string& uid, const std::stop_token& stop);
  Result<> keep_handler(const std::stop_token& stop);
  Result<> carry_out(const Decision& decision, const Subject& subject, const std::stop_token& stop);
  Result<> start_guest(const nlohmann::json& vmi, const std::stop_token& stop);
  Result<std::unique_ptr<Guest>> make_guest(const GuestSpec& spec, const TemplateAnswer& from,
                                            const std::stop_token& stop);
  void perform_waiting(const std::string& uid, const std::stop_token& stop);
  Result<> forget(const std::string& uid);
  void stop_guest(Guest& guest, const Subject& subject, const std::stop_token& stop);
  void publish(Guest& guest, const GuestView& view);
  void retire(Guest& guest);
  void retry_later(const std::string& uid, const Error& error);
  void add_guest(std::unique_ptr<Guest> guest);

  const kube::RestClient& client_;
  const RunDir& run_dir_;
  GuestRegistry& registry_;
  ControllerOptions options_;
  ControllerHooks hooks_;
  NodeVmis vmis_;
  NodePods pods_;
  GuestTable guests_;
  ActionQueue actions_;
  WorkQueue queue_;

  std::mutex mutex_;                          ///< for the two below
  std::map<std::string, unsigned> failures_;  ///< in a row, per key
  std::set<std::string> told_full_;           ///< keys whose waiting for room has been logged
  std::vector<std::jthread> threads_;
};

}  // namespace usbloop::launcher
