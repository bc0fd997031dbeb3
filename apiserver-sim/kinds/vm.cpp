#include "apiserver-sim/kinds/vm.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "apiserver-sim/kinds/kubevirt_reserved.h"
#include "apiserver-sim/kinds/vmi.h"

namespace usbloop::apiserver {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> kStrategies = {"Halted", "Manual", "Always", "RerunOnFailure", "Once"};

constexpr const char* kValidator = "virtualmachine-validator.kubevirt.io";
constexpr const char* kDeletionWish = "usbloop.dev/deletion-grace-period-seconds";

bool given(const json& spec, const char* name) { return spec.contains(name) && !spec[name].is_null(); }

}  // namespace

kube::Status webhook_refusal(const std::string& webhook, Causes causes) {
  kube::Status status;
  status.code = 422;
  status.reason = "Invalid";
  status.message = "admission webhook \"" + webhook + "\" denied the request: ";
  for (std::size_t i = 0; i < causes.size(); ++i) status.message += (i == 0 ? "" : ", ") + causes[i].message;
  status.causes = std::move(causes);
  return status;
}

std::optional<std::int64_t> deletion_wish(const json& vm) {
  const json* annotations = element_at(vm, "/metadata/annotations");
  if (annotations == nullptr || !annotations->is_object()) return std::nullopt;
  const std::string text = annotations->contains(kDeletionWish) && annotations->at(kDeletionWish).is_string()
                               ? annotations->at(kDeletionWish).get<std::string>()
                               : std::string();
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc{} || rest != end || seconds < 0) return std::nullopt;
  return seconds;
}

std::string run_strategy_of(const json& vm) {
  if (const std::string strategy = text_at(vm, "/spec/runStrategy"); !strategy.empty()) return strategy;
  const json* running = element_at(vm, "/spec/running");
  return running != nullptr && *running == true ? "Always" : "Halted";
}

VmResource::VmResource() : Resource("kubevirt.io/v1", "VirtualMachine") {}

void VmResource::prepare_create(json& object, const std::string&) const {
  json& spec = object["spec"];
  if (spec.is_null()) {
    object.erase("spec");
    return;
  }
  // The mutating webhook fills the template in, so that what a client sees is what will run.
  if (!spec.is_object() || !given(spec, "template") || !spec["template"].is_object()) return;
  json& template_spec = spec["template"]["spec"];
  if (template_spec.is_null()) template_spec = {{"domain", json::object()}};
  if (!template_spec.is_object()) return;
  if (!given(template_spec, "architecture")) template_spec["architecture"] = "amd64";
  if (given(template_spec, "domain") && template_spec["domain"].is_object() &&
      !given(template_spec["domain"], "devices")) {
    template_spec["domain"]["devices"] = json::object();
  }
}

Causes VmResource::validate(const json& object) const {
  Causes causes = Resource::validate(object);
  if (!causes.empty()) return causes;
  if (const json* spec = element_at(object, "/spec/template/spec")) check_vmi_spec(*spec, "spec.template.spec", causes);
  return causes;
}

bool VmResource::hasten_end(json& object, std::int64_t wish) const {
  wish = std::max<std::int64_t>(wish, 0);
  if (const auto before = deletion_wish(object); before && *before <= wish) return false;
  object["metadata"]["annotations"][kDeletionWish] = std::to_string(wish);
  return true;
}

std::optional<kube::Status> VmResource::refuse_create(const json& object, const User& user) const {
  const json* metadata = element_at(object, "/spec/template/metadata");
  if (metadata == nullptr || is_kubevirt_component(user)) return std::nullopt;
  Causes causes = refuse_reserved_labels(*metadata, "spec.template.metadata.labels");
  if (causes.empty()) return std::nullopt;
  return webhook_refusal(kValidator, std::move(causes));
}

std::optional<kube::Status> VmResource::refuse_update(const json& object, const json& current, const User& user) const {
  // A field that an older server let in must not keep a user from changing another one.
  const json none = json::object();
  const json* before = element_at(current, "/spec/template/metadata");
  const json* now = element_at(object, "/spec/template/metadata");
  if (same_reserved_labels(now == nullptr ? none : *now, before == nullptr ? none : *before)) return std::nullopt;
  return refuse_create(object, user);
}

std::optional<kube::Status> VmResource::admit(const json& object) const {
  Causes causes;
  const json& spec = object["spec"];
  const bool running = given(spec, "running");
  const bool strategy = given(spec, "runStrategy");
  if (running && strategy) {
    causes.push_back({"FieldValueInvalid",
                      "Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use "
                      "RunStrategy instead",
                      "spec.running"});
  }
  if (!running && !strategy) causes.push_back({"FieldValueInvalid", "RunStrategy must be specified", "spec.running"});
  if (strategy) {
    const std::string text = text_at(spec, "/runStrategy");
    if (std::find(kStrategies.begin(), kStrategies.end(), text) == kStrategies.end()) {
      causes.push_back({"FieldValueInvalid", "Invalid RunStrategy (" + text + ")", "spec.runStrategy"});
    }
  }
  if (causes.empty()) return std::nullopt;
  return webhook_refusal(kValidator, std::move(causes));
}

}  // namespace usbloop::apiserver
