#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "apiserver-sim/golden/scenario.h"
#include "common/fd.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::apiserver::golden {

/// Sends these bytes on a TLS connection of their own and reads one answer. Throws std::runtime_error when none comes.
Answer ask(const kube::ClusterAccess& access, const std::string& request);

/// A node's channel on a unix socket that gives every request the same answer.
class FixedNode {
 public:
  explicit FixedNode(const std::string& path);
  ~FixedNode();
  FixedNode(const FixedNode&) = delete;
  FixedNode& operator=(const FixedNode&) = delete;

  /// The bytes of the answer from now on.
  void set_answer(std::string bytes);

 private:
  void serve();

  Fd listener_;
  std::mutex mutex_;
  std::string answer_;
  std::thread thread_;
};

}  // namespace usbloop::apiserver::golden
