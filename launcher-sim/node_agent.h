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
};

/// The Node object as it is created: labels, the annotation that leads to the channel, capacity. Pure.
nlohmann::json node_object(const NodeDescription& node, const nlohmann::json& machine);

/// Conditions of a node that is ready, or that is going away. Pure. `now` is RFC 3339.
nlohmann::json ready_status(bool ready, const std::string& now);

/// Keeps the Node object of this node alive. Blocking; for one thread.
class NodeAgent {
 public:
  /// `client` must outlive this.
  NodeAgent(const kube::RestClient& client, NodeDescription node);

  /// Registers the node, calls `registered` once, and then refreshes the Ready condition every 10 s until stop is
  /// requested. Goes on through failures, and makes the Node again when somebody has deleted it.
  void run(const std::stop_token& stop, const std::function<void()>& registered) const;
  /// Tells the scheduler that no guest can be placed here any more.
  [[nodiscard]] Result<> say_goodbye() const;

 private:
  Result<> register_node(const std::stop_token& stop) const;
  Result<> heartbeat(const std::stop_token& stop) const;

  const kube::RestClient& client_;
  NodeDescription node_;
};

}  // namespace usbloop::launcher
