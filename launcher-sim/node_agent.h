#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/kube/rest_client.h"

namespace usbloop::launcher {

/// What the node says about itself.
struct NodeDescription {
  std::string name;
  std::string channel_path;  ///< absolute; of the channel's unix socket
  int max_vmis = 0;
  std::string accelerator;
  std::string address = "127.0.0.1";
};

/// The machine we run on, as node objects tell it.
nlohmann::json machine_facts();

/// The Node object as it is created: labels, the annotation that leads to the channel, capacity. Pure.
nlohmann::json node_object(const NodeDescription& node, const nlohmann::json& machine);

/// Conditions of a node that is ready, or that is going away; the transition times of `known` (its conditions so far)
/// are kept where nothing changes. Pure. `now` is RFC 3339.
nlohmann::json node_conditions(bool ready, const nlohmann::json& known, const std::string& now);

/// The Lease by which the node says that it lives. Pure. `now` is RFC 3339 with microseconds.
nlohmann::json node_lease(const std::string& node, const std::string& node_uid, const std::string& now);

/// Keeps the Node object of this node, and its lease, alive. Blocking; for one thread.
class NodeAgent {
 public:
  /// `client` must outlive this.
  NodeAgent(const kube::RestClient& client, NodeDescription node);

  /// Registers the node, calls `registered` once, and then renews its lease every 10 s until stop is requested. Goes on
  /// through failures. When somebody has deleted or changed the Node, or declared it dead, it puts the Node right
  /// again.
  void run(const std::stop_token& stop, const std::function<void()>& registered);
  /// Tells the scheduler that no guest can be placed here any more.
  [[nodiscard]] Result<> say_goodbye() const;

 private:
  Result<> register_node(const std::stop_token& stop);
  Result<> heartbeat(const std::stop_token& stop);
  Result<> renew_lease(const std::stop_token& stop) const;
  [[nodiscard]] bool is_as_registered(const nlohmann::json& node) const;

  const kube::RestClient& client_;
  NodeDescription node_;
  std::string node_uid_;
  int beats_ = 0;  ///< since the last word of virt-handler
};

}  // namespace usbloop::launcher
