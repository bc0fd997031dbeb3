#include "e2e/harness/vmi.h"

#include <nlohmann/json.hpp>

#include "e2e/harness/failure.h"

namespace usbloop::e2e {

using nlohmann::json;

json vmi_manifest(const std::string& name, const VmiOptions& options) {
  json devices = json::object();
  if (options.client_passthrough) devices["clientPassthrough"] = json::object();
  json manifest = {{"apiVersion", "kubevirt.io/v1"},
                   {"kind", "VirtualMachineInstance"},
                   {"metadata", {{"name", name}, {"namespace", options.ns}}},
                   {"spec", {{"domain", {{"devices", devices}, {"memory", {{"guest", options.memory}}}}}}}};
  if (!options.node_selector.empty()) manifest["spec"]["nodeSelector"] = options.node_selector;
  if (options.grace_seconds) manifest["spec"]["terminationGracePeriodSeconds"] = *options.grace_seconds;
  return manifest;
}

std::string vmis_path(const std::string& ns) {
  return "/apis/kubevirt.io/v1/namespaces/" + ns + "/virtualmachineinstances";
}

std::string subresource_path(const std::string& name, const std::string& subresource, const std::string& ns) {
  return "/apis/subresources.kubevirt.io/v1/namespaces/" + ns + "/virtualmachineinstances/" + name + "/" + subresource;
}

std::string usbredir_path(const std::string& name, const std::string& ns) {
  return subresource_path(name, "usbredir", ns);
}

Vmi::Vmi(Loop& loop, std::string name, VmiOptions options) : loop_(&loop), name_(std::move(name)), ns_(options.ns) {
  const auto answer = loop_->api().create(vmis_path(ns_), vmi_manifest(name_, options));
  if (answer.status != 201) throw Failure("create VMI " + name_ + ": " + std::to_string(answer.status) + answer.body);
  uid_ = answer.json().at("metadata").at("uid").get<std::string>();
}

json Vmi::object() const {
  const auto answer = loop_->api().get(vmis_path(ns_) + "/" + name_);
  if (answer.status != 200) throw Failure("get VMI " + name_ + ": " + std::to_string(answer.status));
  return answer.json();
}

void Vmi::wait_phase(const std::string& phase, milliseconds timeout) const {
  const std::string path = vmis_path(ns_) + "?fieldSelector=metadata.name%3D" + name_ + "&resourceVersion=0";
  loop_->api().watch(path, timeout, "VMI " + name_ + " to be " + phase, [&](const json& event) {
    const auto& object = event.at("object");
    return object.at("metadata").at("uid") == uid_ && object.value("/status/phase"_json_pointer, "") == phase;
  });
}

void Vmi::remove(milliseconds timeout) {
  const Deadline deadline(timeout);
  const auto before = loop_->api().get(vmis_path(ns_)).json();
  const auto answer = loop_->api().remove(vmis_path(ns_) + "/" + name_);
  if (answer.status != 200) throw Failure("delete VMI " + name_ + ": " + std::to_string(answer.status) + answer.body);
  const std::string version = before.at("metadata").at("resourceVersion").get<std::string>();
  const std::string path = vmis_path(ns_) + "?fieldSelector=metadata.name%3D" + name_ + "&resourceVersion=" + version;
  loop_->api().watch(path, deadline.left(), "VMI " + name_ + " to be gone",
                     [&](const json& event) { return event.at("type") == "DELETED"; });
}

std::filesystem::path Vmi::run_dir() const {
  const auto node = object().value("/status/nodeName"_json_pointer, "");
  if (node.empty()) throw Failure("VMI " + name_ + " has no node");
  return loop_->run_dir(node) / uid_;
}

pid_t Vmi::qemu_pid() const { return std::stoi(read_file(run_dir() / "qemu.pid")); }

GuestConsole& Vmi::boot() {
  wait_phase("Running");
  console_ = std::make_unique<GuestConsole>(run_dir() / "virt-serial0", run_dir() / "serial.log");
  console_->wait_ready();
  return *console_;
}

}  // namespace usbloop::e2e
