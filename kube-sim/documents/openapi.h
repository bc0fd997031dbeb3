#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "kube-sim/request/http_types.h"
#include "kube-sim/resources/registry.h"

namespace usbloop::apiserver {

/// The OpenAPI documents: v3 by group version, and v2 for all. wire.md section 3. They are made when a client first
/// asks for one, and kept, a few megabytes, until the custom kinds are others. Thread-safe.
class OpenApi {
 public:
  explicit OpenApi(const Registry& registry) : registry_(registry) {}

  /// The answer to a GET of "/openapi/v3", "/openapi/v3/apis/GROUP/VERSION", "/openapi/v2"; nothing for other paths.
  std::optional<Response> answer(const Request& request);

 private:
  struct Document {
    std::string text;
    std::string hash;
  };
  struct Documents {
    std::uint64_t generation = 0;        ///< of the registry
    std::map<std::string, Document> v3;  ///< by "api/v1", "apis/kubevirt.io/v1"
    std::string v3_index;
    std::string v2_protobuf;
  };
  [[nodiscard]] std::shared_ptr<const Documents> make_documents() const;
  std::shared_ptr<const Documents> present_documents();
  [[nodiscard]] Response answer_v2(const Request& request, const Documents& documents) const;
  static Response answer_v3(const Request& request, const Document& document);

  const Registry& registry_;
  std::mutex mutex_;
  std::shared_ptr<const Documents> documents_;
};

}  // namespace usbloop::apiserver
