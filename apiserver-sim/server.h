#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apiserver-sim/http/services.h"
#include "apiserver-sim/options.h"
#include "common/error.h"

namespace usbloop::apiserver {

/// The whole API server in one object; everything runs between start() and the destructor.
class ApiServer {
 public:
  /// Makes or reads what is in the data directory, listens, and writes the kubeconfigs.
  static Result<std::unique_ptr<ApiServer>> start(const Options& options, const Limits& limits = {});
  /// Ends watches cleanly, cuts what is left after a grace time.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// "https://127.0.0.1:6443"
  [[nodiscard]] const std::string& url() const;

 private:
  ApiServer();
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace usbloop::apiserver
