#include "launcher-sim/node_vmis.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "common/log.h"
#include "common/timestamp.h"
#include "launcher-sim/vmi_status.h"

namespace usbloop::launcher {
namespace {

using nlohmann::json;

std::string vmis_of_node(const std::string& node) {
  // A VMI's status says whose guest it is; the label kubevirt.io/nodeName repeats it for lists.
  return "/apis/kubevirt.io/v1/virtualmachineinstances?fieldSelector=status.nodeName%3D" + node;
}

}  // namespace

NodeVmis::NodeVmis(const kube::RestClient& client, std::string node)
    : client_(client),
      node_(std::move(node)),
      informer_(client, vmis_of_node(node_),
                {[this](const std::string& uid) { changed_(uid); },
                 [this](const Error* error) {
                   if (error == nullptr) {
                     spdlog::info("the API server {} answers", client_.server());
                   } else {
                     spdlog::warn("the API server is away; guests run on and it is tried again: {}", error->message());
                   }
                 }}) {}

Result<> NodeVmis::write_phase(const json& vmi, const Decision& decision, const std::stop_token& stop) {
  const json patch =
      phase_patch(vmi, *decision.phase, decision.reason, node_, format_time(now_seconds()), decision.cloned);
  auto written = client_.patch(vmi_path(vmi), kube::PatchType::merge, patch, stop);
  if (!written) return tl::unexpected(written.error());
  const bool failed = *decision.phase == Phase::failed;
  spdlog::log(failed ? spdlog::level::warn : spdlog::level::info, "VMI {}/{} is {}{}{}",
              vmi.at("metadata").value("namespace", ""), vmi.at("metadata").value("name", ""), to_text(*decision.phase),
              decision.message.empty() ? "" : ": ", decision.message);
  informer_.observe(std::move(*written));
  if (!decision.reason.empty()) {
    send_event(vmi, failed ? "Warning" : "Normal", failed ? "Stopped" : decision.reason, decision.message, stop);
  }
  return {};
}

Result<> NodeVmis::write_pause(const json& vmi, const std::stop_token& stop) {
  const bool paused = !view_of(vmi).paused;
  auto written =
      client_.patch(vmi_path(vmi), kube::PatchType::merge, pause_patch(vmi, paused, format_time(now_seconds())), stop);
  if (!written) return tl::unexpected(written.error());
  spdlog::info("VMI {} is {}", vmi_path(vmi), paused ? "paused" : "no longer paused");
  informer_.observe(std::move(*written));
  return {};
}

void NodeVmis::send_event(const json& vmi, const char* type, const std::string& reason, const std::string& message,
                          const std::stop_token& stop) const {
  const json event = vmi_event(vmi, type, reason, message, node_, format_time(now_seconds()));
  const std::string path = "/api/v1/namespaces/" + event.at("metadata").at("namespace").get<std::string>() + "/events";
  if (const auto sent = client_.create(path, event, stop); !sent) spdlog::debug("{}", sent.error().message());
}

}  // namespace usbloop::launcher
