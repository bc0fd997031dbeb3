#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "e2e/harness/wait.h"

namespace usbloop::e2e {

/// An answer of the API server.
struct ApiAnswer {
  int status = 0;
  std::string body;
  [[nodiscard]] nlohmann::json json() const;  ///< throws Failure when the body is not JSON
};

/// A Kubernetes client for the harness: plain requests and watches, with the credentials of a kubeconfig file.
class Api {
 public:
  explicit Api(const std::filesystem::path& kubeconfig);

  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  /// A file with the authority's certificate.
  [[nodiscard]] const std::filesystem::path& ca_file() const { return ca_file_; }

  /// Throws Failure when no answer comes.
  [[nodiscard]] ApiAnswer get(const std::string& path) const;
  [[nodiscard]] ApiAnswer create(const std::string& path, const nlohmann::json& object) const;
  [[nodiscard]] ApiAnswer merge_patch(const std::string& path, const nlohmann::json& patch) const;
  /// As virtctl asks for subresources: without a Content-Type.
  [[nodiscard]] ApiAnswer put(const std::string& path, const std::string& body) const;
  [[nodiscard]] ApiAnswer remove(const std::string& path) const;

  /// Watches `path` (a list's address with its query) and hands each event to `on_event` until that returns true.
  /// Throws Failure when time runs out or the stream cannot be had; a stream the server ends is opened again.
  void watch(const std::string& path, milliseconds timeout, const std::string& what,
             const std::function<bool(const nlohmann::json&)>& on_event) const;

 private:
  std::string host_;
  int port_ = 0;
  std::string token_;
  std::filesystem::path ca_file_;
};

}  // namespace usbloop::e2e
