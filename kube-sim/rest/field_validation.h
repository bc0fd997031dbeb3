#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube-sim/objects/answer.h"
#include "kube-sim/rest/request_options.h"

// What happens about fields that a client sends in vain: those given twice, and those that the kind does not have.
namespace usbloop::apiserver {

/// The faults of one body that a strict reader would find, in the words of kube-apiserver.
class FieldFaults {
 public:
  /// `text`: the body as sent; `content_type`: empty for JSON. `object` may be a patch: its directives are no fields.
  FieldFaults(const View& view, const std::string& content_type, std::string text, const nlohmann::json& object);

  /// 400 when the client wants strictness: `Namespace in version "v1" cannot be handled as a Namespace: strict decoding
  /// error: unknown field "spec.x"`.
  [[nodiscard]] std::optional<kube::Status> refusal(FieldValidation validation) const;
  /// The same for a patch: 422, for the field "patch".
  [[nodiscard]] std::optional<kube::Status> refusal_of_patch(FieldValidation validation) const;
  /// Adds a Warning header for each fault when the client wants them.
  void warn(FieldValidation validation, Response& response) const;

 private:
  std::vector<std::string> faults_;
  std::string subject_;
  std::string text_;
};

}  // namespace usbloop::apiserver
