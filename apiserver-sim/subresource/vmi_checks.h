#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/kube/status.h"
#include "kube-sim/store/store.h"

// virt-api's checks of a VMI before it asks the node, in its order and with its words. wire.md section 12.
namespace usbloop::apiserver {

/// Why a subresource of this VMI is not to be had; nothing when it is.
using VmiCheck = std::optional<kube::Status> (*)(const nlohmann::json& vmi);

std::optional<kube::Status> check_usbredir(const nlohmann::json& vmi);
std::optional<kube::Status> check_console(const nlohmann::json& vmi);
std::optional<kube::Status> check_vnc(const nlohmann::json& vmi);
std::optional<kube::Status> check_portforward(const nlohmann::json& vmi);
std::optional<kube::Status> check_pause(const nlohmann::json& vmi);
std::optional<kube::Status> check_unpause(const nlohmann::json& vmi);
std::optional<kube::Status> check_softreboot(const nlohmann::json& vmi);
std::optional<kube::Status> check_freeze(const nlohmann::json& vmi);
std::optional<kube::Status> check_unfreeze(const nlohmann::json& vmi);
/// The node alone decides.
std::optional<kube::Status> check_reset(const nlohmann::json& vmi);
/// guestosinfo, userlist and filesystemlist: the guest agent has to be there.
std::optional<kube::Status> check_guest_agent(const nlohmann::json& vmi);

/// The VMI, or the refusal of one that does not exist.
tl::expected<nlohmann::json, kube::Status> find_vmi(const Store& store, const std::string& namespace_,
                                                    const std::string& name);

/// Where the node of a VMI takes requests and streams.
struct NodeChannel {
  std::string node;
  std::string socket_path;
};

/// Finds the VMI, checks it, and finds the channel of the node that it runs on.
tl::expected<NodeChannel, kube::Status> find_channel(const Store& store, const std::string& namespace_,
                                                     const std::string& name, VmiCheck check);

}  // namespace usbloop::apiserver
