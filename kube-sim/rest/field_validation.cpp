#include "kube-sim/rest/field_validation.h"

#include "kube-sim/objects/codec.h"
#include "kube-sim/schema/field_error.h"
#include "kube-sim/schema/strict_json.h"
#include "kube-sim/schema/validation.h"

namespace usbloop::apiserver {
namespace {

std::string joined(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& fault : faults) text += (text.empty() ? "" : ", ") + fault;
  return text;
}

/// Whether the last step of a path is "$patch", "$setElementOrder/…" or another directive of a strategic merge.
bool is_directive(const std::string& path) { return path.starts_with('$') || path.find(".$") != std::string::npos; }

/// A header holds no line ends and no raw quotes.
std::string warning(const std::string& text) { return "299 - " + field::quoted(text); }

}  // namespace

FieldFaults::FieldFaults(const View& view, const std::string& content_type, std::string text,
                         const nlohmann::json& object)
    : text_(std::move(text)) {
  const std::string& kind = view.resource.info().kind;
  subject_ = kind + " in version \"" + view.version + "\" cannot be handled as a " + kind + ": ";
  const std::string type = media_type(content_type);
  if (type.empty() || type == "application/json") faults_ = duplicate_fields(text_);
  if (!object.is_object()) return;
  std::vector<std::string> unknown;
  nlohmann::json pruned = object;
  view.resource.prune(pruned, &unknown);
  for (const std::string& path : unknown) {
    if (!is_directive(path)) faults_.push_back("unknown field " + field::quoted(path));
  }
}

std::optional<kube::Status> FieldFaults::refusal(FieldValidation validation) const {
  if (validation != FieldValidation::strict || faults_.empty()) return std::nullopt;
  return kube::bad_request(subject_ + "strict decoding error: " + joined(faults_));
}

std::optional<kube::Status> FieldFaults::refusal_of_patch(FieldValidation validation) const {
  if (validation != FieldValidation::strict || faults_.empty()) return std::nullopt;
  return kube::invalid("", "", "", {field::invalid("patch", text_, "strict decoding error: " + joined(faults_))});
}

void FieldFaults::warn(FieldValidation validation, Response& response) const {
  if (validation != FieldValidation::warn) return;
  for (const std::string& fault : faults_) response.headers.emplace_back("Warning", warning(fault));
}

}  // namespace usbloop::apiserver
