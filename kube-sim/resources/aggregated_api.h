#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube-sim/request/http_types.h"
#include "kube-sim/request/request_info.h"
#include "kube-sim/store/store.h"

namespace usbloop::apiserver {

class Registry;

/// A group of the API whose requests are answered by code of its own instead of from the store, as those of an
/// aggregated API server are in a cluster. Thread-safe.
class AggregatedApi {
 public:
  virtual ~AggregatedApi() = default;

  [[nodiscard]] virtual const std::string& group() const = 0;
  /// The preferred one first.
  [[nodiscard]] virtual const std::vector<std::string>& versions() const = 0;
  /// What discovery lists in each version, in its order: "widgets/spin".
  [[nodiscard]] virtual std::vector<std::string> listed() const = 0;
  /// Whether there is such a subresource (its first path segment) of such a resource, listed or not; of the resource
  /// alone when `subresource` is empty. For labels, which must not be of a client's making.
  [[nodiscard]] virtual bool knows(std::string_view resource, std::string_view subresource) const = 0;
  /// Answers one authorized request. May block for seconds.
  [[nodiscard]] virtual Response answer(const Registry& registry, Store& store, const Request& request,
                                        const RequestInfo& info) const = 0;
};

}  // namespace usbloop::apiserver
