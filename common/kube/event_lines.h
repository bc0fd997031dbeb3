#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace usbloop::kube {

/// Cuts the body of a watch into its events, one JSON document per line, whatever the sizes of the pieces in which it
/// comes. Holds at most one line of `max_bytes`. wire.md section 7.
class EventLines {
 public:
  explicit EventLines(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Hands out the events completed by `bytes`. False when no more shall be fed: `on_event` said so, or expired() or
  /// error() is set. An ERROR event is not handed out.
  bool feed(std::string_view bytes, const std::function<bool(const nlohmann::json&)>& on_event);

  /// An ERROR event said 410: the version asked for is gone.
  [[nodiscard]] bool expired() const { return expired_; }
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }

 private:
  bool take_line(std::string_view line, const std::function<bool(const nlohmann::json&)>& on_event);

  std::size_t max_bytes_;
  std::string partial_;
  bool expired_ = false;
  std::optional<std::string> error_;
};

}  // namespace usbloop::kube
