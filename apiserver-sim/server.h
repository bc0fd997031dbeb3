#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apiserver-sim/options.h"
#include "common/error.h"
#include "kube-sim/http/services.h"

namespace usbloop::apiserver {

/// The whole API server in one object; everything runs between start() and the destructor.
class ApiServer {
 public:
  /// Makes or reads what is in the data directory, listens, and writes the kubeconfigs.
  static Result<std::unique_ptr<ApiServer>> start(const Options& options, const Limits& limits = {});
  /// Stops.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// The orderly end: /readyz fails, nothing is accepted any more, watches end with their last chunk, requests and
  /// relays get the grace time and are then cut. Blocks until all is over. Idempotent.
  void stop();
  /// Ends the grace time of a stop() that is under way. From any thread.
  void cut();

  /// "https://127.0.0.1:6443"
  [[nodiscard]] const std::string& url() const;

 private:
  explicit ApiServer(const Options& options);
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usbloop::apiserver
