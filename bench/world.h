#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/cleanup.h"
#include "common/kube/kubeconfig.h"
#include "e2e/harness/api.h"
#include "e2e/harness/process.h"

namespace usbloop::bench {

/// The ways to carry the bytes that are measured side by side.
enum class RoadKind {
  direct,     ///< a unix socket between the load tool and the peer
  tcp,        ///< the same over TCP: what KubeVirt's figures are divided by
  floor,      ///< usbloop-bench-floor: load tool -TCP- client =TLS= agent -unix- peer
  ours,       ///< the client library =TLS, websocket= apiserver-sim, launcher-sim -unix- peer, as they come
  ours_plain  ///< the same with launcher-sim --no-handoff: the bytes go through launcher-sim
};

/// "direct", "tcp", "floor", "ours", "ours_plain".
const char* name_of(RoadKind kind);

struct WorldOptions {
  int vmis = 1;       ///< four slots each, on each node
  bool plain = true;  ///< has a node for RoadKind::ours_plain
};

/// Everything at the other end of the load tool, running and ready: the peer, the floor's two processes, an API server,
/// a node (or two) and its stand-in guests. Ends with the object. Functions throw e2e::Failure.
class World {
 public:
  explicit World(const WorldOptions& options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] std::string peer_socket() const { return dir_.path() / "peer.sock"; }
  [[nodiscard]] std::uint16_t peer_port() const { return peer_port_; }
  /// Where the floor's client takes connections.
  [[nodiscard]] std::uint16_t floor_port() const { return floor_port_; }
  [[nodiscard]] const kube::ClusterAccess& access() const { return *access_; }
  /// The usbredir subresource of a VMI of that road, counted from 0.
  [[nodiscard]] std::string subresource(RoadKind road, int vmi) const;

  /// The processes between the load tool and the peer; a name and a process id each.
  struct Member {
    std::string name;
    pid_t pid;
  };
  [[nodiscard]] std::vector<Member> members(RoadKind road) const;
  /// Every process but this one, so that all can be pinned.
  [[nodiscard]] std::vector<pid_t> everybody() const;
  [[nodiscard]] pid_t peer() const { return peer_->pid(); }

 private:
  using ProcessPtr = std::unique_ptr<e2e::Process>;
  ProcessPtr start(const std::string& name, std::vector<std::string> argv);
  void start_floor();
  void start_api();
  ProcessPtr start_node(const std::string& node, const std::vector<std::string>& more);
  void make_vmis(const std::vector<std::string>& nodes, int count);
  static void stop(ProcessPtr& process);

  BenchDir dir_;
  std::uint16_t peer_port_ = 0;
  std::uint16_t floor_port_ = 0;
  ProcessPtr peer_;
  ProcessPtr floor_agent_;
  ProcessPtr floor_client_;
  ProcessPtr api_;
  ProcessPtr node_;
  ProcessPtr plain_node_;
  std::unique_ptr<kube::ClusterAccess> access_;
};

}  // namespace usbloop::bench
