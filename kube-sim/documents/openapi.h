#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kube-sim/request/http_types.h"
#include "kube-sim/resources/registry.h"

namespace usbloop::apiserver {

/// The OpenAPI documents: v3 by group version, and v2 for all. wire.md section 3. They are made when a client first
/// asks for one, and kept: a few megabytes. Thread-safe.
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
  void make_documents();
  Response answer_v2(const Request& request) const;
  static Response answer_v3(const Request& request, const Document& document);

  const Registry& registry_;
  std::once_flag made_;
  std::map<std::string, Document> v3_;  ///< by "api/v1", "apis/kubevirt.io/v1"
  std::string v3_index_;
  std::string v2_protobuf_;
};

}  // namespace usbloop::apiserver
