#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/kube/kubeconfig.h"

namespace usbloop::kube {

struct RestOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds answer_timeout{15'000};  ///< longest silence before and within an answer
  std::chrono::seconds watch_time{300};              ///< asked for as timeoutSeconds; lengthened by up to as much again
  std::size_t max_body_bytes = 64 * 1024 * 1024;     ///< of one answer
  std::size_t max_event_bytes = 4 * 1024 * 1024;     ///< of one line of a watch
};

enum class PatchType { merge, json_patch, strategic_merge };

/// How a watch ended when nothing was wrong with the connection.
enum class WatchEnd {
  closed,   ///< by the server in order, or because the callback said so; watch again from the last version
  expired,  ///< the server no longer has that version; list again
};

/// A blocking client of the Kubernetes API (REST and watch) over HTTP/1.1. `path` is absolute, query included, without
/// the server's path prefix. Thread-safe: requests share nothing but the settings; each has a connection of its own.
///
/// A Status that refuses becomes an Error whose cause reads "REASON (CODE): MESSAGE": not_found 404, conflict 409 and
/// 410, denied 401 and 403, invalid for other 4xx, unavailable for 429 and 5xx. Other errors: unavailable (no
/// connection), denied (the server's certificate is not signed by the kubeconfig's authority, or not for its name),
/// timeout, protocol (no JSON, too much of it), cancelled (`stop` was requested).
class RestClient {
 public:
  static Result<RestClient> make(ClusterAccess access, std::string user_agent, RestOptions options = {});
  RestClient(RestClient&&) noexcept;
  RestClient& operator=(RestClient&&) noexcept;
  ~RestClient();

  /// The same server and user with other time limits.
  [[nodiscard]] RestClient with_options(RestOptions options) const;

  /// One object or a list.
  [[nodiscard]] Result<nlohmann::json> get(const std::string& path, const std::stop_token& stop = {}) const;
  [[nodiscard]] Result<nlohmann::json> create(const std::string& path, const nlohmann::json& object,
                                              const std::stop_token& stop = {}) const;
  [[nodiscard]] Result<nlohmann::json> update(const std::string& path, const nlohmann::json& object,
                                              const std::stop_token& stop = {}) const;
  [[nodiscard]] Result<nlohmann::json> patch(const std::string& path, PatchType type, const nlohmann::json& change,
                                             const std::stop_token& stop = {}) const;
  [[nodiscard]] Result<nlohmann::json> remove(const std::string& path, const std::stop_token& stop = {}) const;

  /// Called with each event {"type", "object"}, bookmarks included; false ends the watch.
  using OnEvent = std::function<bool(const nlohmann::json& event)>;
  /// Watches the list at `path` (with selectors as its query, or without one) from a resourceVersion, with bookmarks.
  /// Returns when it ends. ERROR events end it as an error or as `expired`; they are not handed to the callback.
  [[nodiscard]] Result<WatchEnd> watch(const std::string& path, std::string_view resource_version,
                                       const OnEvent& on_event, const std::stop_token& stop = {}) const;

  /// "https://host:port", for messages.
  [[nodiscard]] std::string server() const;

 private:
  class Impl;
  explicit RestClient(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace usbloop::kube
